//! The copy of a black box, against recorded answers of S3: what it says when it is not taken.

use relight::{
    clients::black_box::copy,
    incident::{FailureKind, Moment, Sealed, black_box::Kept},
    plan::CopyTo,
};

use super::canned::{plan, rule, serve};

fn error(code: &str, message: &str) -> String {
    format!(
        "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>r</RequestId></Error>"
    )
}

#[tokio::test]
async fn a_copy_that_s3_does_not_take_says_what_where_and_what_to_do() {
    let text = include_str!("../fixtures/black-box/seen-1.json");
    let sealed = Sealed {
        roll: None,
        format: Sealed::FORMAT,
        seen: serde_json::from_str(text).expect("a black box"),
        values: Kept::new("Secret x", Moment::from_secs(7), Ok("hunter2".to_owned())),
    };
    for (status, code, kind) in [
        (403, "AccessDenied", FailureKind::Forbidden),
        (404, "NoSuchBucket", FailureKind::NotFound),
        (503, "SlowDown", FailureKind::Throttled),
    ] {
        let body = error(code, "because of that");
        let url = serve(vec![rule("PUT /kept/boxes/", status, &body)]).await;
        let dir = tempfile::tempdir().expect("a folder");
        let mut plan = plan(dir.path(), &url, "Z1");
        let unplanned = copy(&plan, &sealed).await.expect_err("no place");
        assert_eq!(unplanned.kind, FailureKind::NotPlanned);
        plan.black_box.copy_to = Some(CopyTo {
            bucket: "kept".to_owned(),
            prefix: "boxes/".to_owned(),
        });
        let told = copy(&plan, &sealed).await.expect_err(code);
        assert_eq!(told.kind, kind, "{told}");
        let text = told.to_string();
        for part in ["S3 PutObject of s3://kept/boxes/", "in us-west-2", code] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("hunter2"), "{text}");
    }
    // Never over another: S3 itself is told so.
    let rules = vec![rule("if-none-match: *", 200, "")];
    let url = serve(rules).await;
    let dir = tempfile::tempdir().expect("a folder");
    let mut plan = plan(dir.path(), &url, "Z1");
    plan.black_box.copy_to = Some(CopyTo {
        bucket: "kept".to_owned(),
        prefix: String::new(),
    });
    let copied = copy(&plan, &sealed).await.expect("taken");
    assert!(copied.to.starts_with("s3://kept/"), "{}", copied.to);
}
