//! What a step has the learner do outside of files, done through the same client that the checks look with.

use crate::course::{Action, ActionKind};
use crate::facts::Trouble;
use crate::lab::Lab;
pub use crate::vendor::xray::Put;

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
        };
    }
    Ok(())
}

/// Performs one action for a learner, and says what came of it: something of that name that is otherwise is changed.
///
/// # Errors
/// Why the vendor did not let us.
pub async fn put(action: &Action, lab: &Lab) -> Result<Put, Trouble> {
    let client = lab.xray()?;
    match action.kind {
        ActionKind::XrayCreateGroup => client.put_group(&action.input).await,
        ActionKind::XrayCreateSamplingRule => client.put_sampling_rule(&action.input).await,
    }
}
