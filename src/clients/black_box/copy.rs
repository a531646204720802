//! The copy of a black box in the recovery region: this host may be lost with the primary, or be another one next time.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ServerSideEncryption},
};

use crate::{
    clients::aws::{Aws, explain},
    incident::{Failure, FailureKind, Moment, Sealed, Side, black_box::Copied},
    plan::Plan,
};

/// Puts a box where the plan's `[black_box] copy_to` says: encrypted, with a checksum, and never over one that is there.
///
/// # Errors
/// If the box cannot be written as text, or S3 does not take it.
pub async fn copy(plan: &Plan, sealed: &Sealed) -> Result<Copied, Failure> {
    let Some(place) = &plan.black_box.copy_to else {
        return Err(crate::clients::aws::not_planned(
            "place for a copy of the black box",
            "copy_to to [black_box]",
        ));
    };
    let at = Moment::now();
    let cluster = &sealed.seen.cluster;
    let key = format!("{}{cluster}/{at}.json", place.prefix);
    let body = serde_json::to_vec(sealed).map_err(|_| {
        Failure::new(
            FailureKind::Other,
            "the black box could not be written as JSON: a defect in Relight",
        )
    })?;
    let reach = Aws::new(plan).side(Side::Recovery).clone();
    let where_to = format!("s3://{}/{key} in {}", place.bucket, reach.region());
    let put = reach
        .s3()
        .await
        .put_object()
        .bucket(&place.bucket)
        .key(&key)
        .content_type("application/json")
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .server_side_encryption(ServerSideEncryption::Aes256)
        .if_none_match("*")
        .body(ByteStream::from(body));
    put.send()
        .await
        .map_err(|error| explain("S3 PutObject", &where_to, &error))?;
    Ok(Copied {
        to: format!("s3://{}/{key}", place.bucket),
        at,
    })
}
