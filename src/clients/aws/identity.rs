//! STS `GetCallerIdentity` → [`Identity`].

use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;

use super::{Ends, Reach, explain};
use crate::{
    clients::kube::text::clean,
    incident::{Failure, FailureKind, Identity},
};

/// Asks once.
///
/// # Errors
/// If STS cannot be asked or says no.
pub async fn fetch(reach: &Reach) -> Result<Identity, Failure> {
    let region = reach.region();
    let said = reach.sts().await.get_caller_identity().send().await;
    let said = said.map_err(|error| {
        explain(
            "STS GetCallerIdentity",
            &format!("the credentials in {region}"),
            &error,
        )
    })?;
    interpret(&said, region, reach.ends())
}

fn interpret(
    said: &GetCallerIdentityOutput,
    region: &str,
    ends: Option<Ends>,
) -> Result<Identity, Failure> {
    let account = said.account().unwrap_or_default();
    let arn = said.arn().unwrap_or_default();
    if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) || arn.is_empty() {
        return Err(Failure::new(
            FailureKind::Garbage,
            format!(
                "STS GetCallerIdentity in {region} named no account: check for a wrong endpoint in between"
            ),
        ));
    }
    Ok(Identity {
        arn: clean(arn, 256),
        account: account.to_owned(),
        region: region.to_owned(),
        expires: ends.map(|ends| ends.at),
        renews: ends.is_some_and(|ends| ends.renews),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(account: &str, arn: &str) -> GetCallerIdentityOutput {
        GetCallerIdentityOutput::builder()
            .account(account)
            .arn(arn)
            .build()
    }

    #[test]
    fn an_answer_without_an_account_is_garbage() {
        for (account, arn) in [
            ("", ""),
            ("12", "arn:aws:iam::12:user/x"),
            ("11112222333x", "arn:aws:iam::1:user/x"),
        ] {
            let failure = interpret(&said(account, arn), "us-west-2", None).expect_err("garbage");
            assert_eq!(failure.kind, FailureKind::Garbage);
        }
        let arn = "arn:aws:sts::111122223333:assumed-role/dr/alice";
        let at = crate::incident::Moment::from_secs(5);
        let until = Some(Ends { at, renews: true });
        let identity =
            interpret(&said("111122223333", arn), "us-west-2", until).expect("an identity");
        assert_eq!((identity.arn.as_str(), identity.expires), (arn, Some(at)));
        assert!(identity.renews);
    }
}
