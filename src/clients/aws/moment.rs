//! The SDK's times and ours.

use aws_smithy_types::DateTime;

use crate::incident::Moment;

/// Our moment of an SDK time; `None` for one outside of 64-bit milliseconds.
#[must_use]
pub fn from_sdk(time: &DateTime) -> Option<Moment> {
    time.to_millis().ok().map(Moment::from_millis)
}

/// The SDK's time of our moment.
#[must_use]
pub fn to_sdk(moment: Moment) -> DateTime {
    DateTime::from_millis(moment.millis())
}
