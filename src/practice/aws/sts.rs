//! AWS STS: who someone is, and roles.

use super::{access_key, answer::Answer, ask::Ask, xml};
use crate::{
    incident::{Moment, Side},
    practice::world::{ROLE, World},
};

const SPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

pub(super) fn get_caller_identity(ask: &Ask, _side: Side, _world: &mut World) -> Answer {
    let account = ask.account.as_deref().unwrap_or_default();
    let arn = match &ask.token {
        Some(token) => format!("arn:aws:sts::{account}:assumed-role/{token}"),
        None => format!("arn:aws:iam::{account}:user/practice"),
    };
    Answer::xml(&format!(
        "<GetCallerIdentityResponse xmlns=\"{SPACE}\"><GetCallerIdentityResult><Arn>{}</Arn><UserId>AIDAPRACTICE</UserId><Account>{account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>practice</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
        xml::escape(&arn)
    ))
}

/// Credentials of the role's account for an hour; the session token carries role and session name.
pub(super) fn assume_role(ask: &Ask, _side: Side, _world: &mut World) -> Answer {
    let arn = ask.param("RoleArn").unwrap_or_default();
    let session = ask.param("RoleSessionName").unwrap_or_default();
    let mut parts = arn.splitn(6, ':').skip(4);
    let (Some(account), Some(role)) = (parts.next(), parts.next()) else {
        return Answer::error(ask, 400, "ValidationError", "RoleArn is not an ARN");
    };
    let role = role.trim_start_matches("role/");
    let key = access_key(account).replacen("AKIA", "ASIA", 1);
    let until = Moment::now().plus(std::time::Duration::from_hours(1));
    let (role, session) = (xml::escape(role), xml::escape(session));
    Answer::xml(&format!(
        "<AssumeRoleResponse xmlns=\"{SPACE}\"><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::{account}:assumed-role/{role}/{session}</Arn><AssumedRoleId>AROAPRACTICE:{session}</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>practice</SecretAccessKey><SessionToken>{role}/{session}</SessionToken><Expiration>{until}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>practice</RequestId></ResponseMetadata></AssumeRoleResponse>"
    ))
}

/// The Auth Service's role for a token of its account, as long as the role trusts the cluster that made it.
pub(super) fn assume_role_with_token(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    let arn = ask.param("RoleArn").unwrap_or_default();
    if arn != world.role_arn() || !world.trusts(ask.param("WebIdentityToken").unwrap_or_default()) {
        let said = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        return Answer::error(ask, 403, "AccessDenied", said);
    }
    let account = &world.recovery.account;
    let session = xml::escape(ask.param("RoleSessionName").unwrap_or_default());
    let key = access_key(account).replacen("AKIA", "ASIA", 1);
    let until = Moment::now().plus(std::time::Duration::from_mins(15));
    Answer::xml(&format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"{SPACE}\"><AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>arn:aws:sts::{account}:assumed-role/{ROLE}/{session}</Arn><AssumedRoleId>AROAPRACTICE:{session}</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>practice</SecretAccessKey><SessionToken>{ROLE}/{session}</SessionToken><Expiration>{until}</Expiration></Credentials></AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>practice</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"
    ))
}
