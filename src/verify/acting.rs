//! What a step has the learner do outside of files, done for the reference through the same client.

use crate::course::{Action, ActionKind};
use crate::facts::Trouble;
use crate::lab::Lab;

/// Performs the actions in order. One that was performed before counts as done.
///
/// # Errors
/// Why the vendor did not let us.
pub async fn perform(actions: &[Action], lab: &Lab) -> Result<(), Trouble> {
    for action in actions {
        let client = lab.xray()?;
        match action.kind {
            ActionKind::XrayCreateGroup => client.create_group(&action.input).await?,
            ActionKind::XrayCreateSamplingRule => client.create_sampling_rule(&action.input).await?,
        }
    }
    Ok(())
}
