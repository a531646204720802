//! AWS IAM: the Auth Service's role, the clusters' identity providers, and the simulation of the role's policy.

use std::fmt::Write as _;

use super::{answer::Answer, ask::Ask, xml};
use crate::{
    incident::Side,
    practice::world::{ROLE, World},
};

const SPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// Since when things are there, in a practice.
const MADE: &str = "2025-01-01T00:00:00Z";

fn answer(operation: &str, result: &str) -> Answer {
    Answer::xml(&format!(
        "<{operation}Response xmlns=\"{SPACE}\"><{operation}Result>{result}</{operation}Result><ResponseMetadata><RequestId>practice</RequestId></ResponseMetadata></{operation}Response>"
    ))
}

pub(super) fn get_role(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    if ask.param("RoleName") != Some(ROLE) {
        return Answer::error(ask, 404, "NoSuchEntity", "The role cannot be found.");
    }
    // As IAM does it: the policy is URL-encoded inside the XML.
    let policy = encode(&world.trust_policy().to_string());
    answer(
        "GetRole",
        &format!(
            "<Role><Path>/</Path><RoleName>{ROLE}</RoleName><RoleId>AROAPRACTICEPRACTICE</RoleId><Arn>{}</Arn><CreateDate>{MADE}</CreateDate><AssumeRolePolicyDocument>{policy}</AssumeRolePolicyDocument></Role>",
            world.role_arn()
        ),
    )
}

pub(super) fn get_provider(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    let wanted = ask.param("OpenIDConnectProviderArn").unwrap_or_default();
    let found = Side::BOTH
        .into_iter()
        .find(|side| world.provider_arn(*side) == wanted);
    let Some(side) = found else {
        return Answer::error(ask, 404, "NoSuchEntity", "The provider cannot be found.");
    };
    let issuer = world.issuer(side);
    answer(
        "GetOpenIDConnectProvider",
        &format!(
            "<Url>{}</Url><ClientIDList><member>sts.amazonaws.com</member></ClientIDList><ThumbprintList></ThumbprintList><CreateDate>{MADE}</CreateDate>",
            issuer.trim_start_matches("https://")
        ),
    )
}

pub(super) fn simulate(ask: &Ask, _side: Side, world: &mut World) -> Answer {
    if ask.param("PolicySourceArn") != Some(&world.role_arn()) {
        return Answer::error(ask, 404, "NoSuchEntity", "The role cannot be found.");
    }
    let all = |prefix: &str| -> Vec<&str> {
        ask.query
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(_, value)| value.as_str())
            .collect()
    };
    let resources = all("ResourceArns.member.");
    let mut results = String::new();
    for action in all("ActionNames.member.") {
        for arn in &resources {
            let decision = if world.grants(action, arn) {
                "allowed"
            } else {
                "implicitDeny"
            };
            let _ = write!(
                results,
                "<member><EvalActionName>{}</EvalActionName><EvalResourceName>{}</EvalResourceName><EvalDecision>{decision}</EvalDecision><MatchedStatements></MatchedStatements><MissingContextValues></MissingContextValues></member>",
                xml::escape(action),
                xml::escape(arn)
            );
        }
    }
    answer(
        "SimulatePrincipalPolicy",
        &format!(
            "<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
        ),
    )
}

fn encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len() * 2), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        })
}
