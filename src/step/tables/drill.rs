//! What an isolated drill does about its tables besides: they are listed before they are restored, and tagged when they are
//! there. No restore takes tags along, so until then a table is known by the list alone, and is not deleted.

use aws_sdk_dynamodb::types::Tag;

use super::{Say, plan::Act, target, wrong};
use crate::{
    clients::{
        aws::{Aws, explain},
        drill::{Ledger, folder, table},
    },
    incident::{
        Failure, FailureKind, Side, TableRole,
        made::{Standing, What},
    },
    plan::Isolated,
    step::{Context, StepError},
};

fn ledger(context: &Context) -> Result<Option<(Ledger, &Isolated)>, StepError> {
    let Some(drill) = context.plan.isolated() else {
        return Ok(None);
    };
    let folder = folder(&context.plan).map_err(|why| wrong(&why))?;
    let ledger = Ledger::read(folder).map_err(|error| StepError(error.to_string()))?;
    Ok(Some((ledger, drill)))
}

/// Lists the tables that are about to be restored.
pub(super) fn note(context: &Context, acts: &[Act; 2]) -> Result<(), StepError> {
    let Some((mut ledger, _)) = ledger(context)? else {
        return Ok(());
    };
    for act in acts {
        if let Act::Restore(restore) = act {
            ledger
                .note(What::Table, &restore.target, &context.run)
                .map_err(|error| StepError(error.to_string()))?;
        }
    }
    Ok(())
}

/// Tags the tables that this drill has restored, and no others.
pub(super) async fn tag(context: &Context, aws: &Aws, say: Say<'_>) -> Result<(), StepError> {
    let Some((ledger, drill)) = ledger(context)? else {
        return Ok(());
    };
    let reach = aws.side(Side::Recovery);
    let client = reach.dynamodb().await;
    let broken = |error: &dyn std::fmt::Display| {
        wrong(&Failure::new(
            FailureKind::Other,
            format!("the call could not be made: {error}"),
        ))
    };
    for role in TableRole::BOTH {
        let name = target(&context.plan, role)?;
        if !ledger.lists(What::Table, name) {
            say(&format!(
                "{name}: not restored by this drill, so it is not tagged and will stay"
            ));
            continue;
        }
        let stands = table(reach, name, &drill.stamp).await;
        if stands.map_err(|why| wrong(&why))? == Standing::Ours {
            continue;
        }
        let place = format!("{name} in {}", reach.region());
        let said = client.describe_table().table_name(name).send().await;
        let said =
            said.map_err(|error| wrong(&explain("DynamoDB DescribeTable", &place, &error)))?;
        let arn = said.table().and_then(|table| table.table_arn());
        let tag = Tag::builder().key(Isolated::TAG).value(&drill.stamp);
        let tag = tag.build().map_err(|error| broken(&error))?;
        context.fence.look()?;
        client
            .tag_resource()
            .resource_arn(arn.unwrap_or_default())
            .tags(tag)
            .send()
            .await
            .map_err(|error| wrong(&explain("DynamoDB TagResource", &place, &error)))?;
        say(&format!("{name}: tagged {}={}", Isolated::TAG, drill.stamp));
    }
    Ok(())
}
