//! HTTP on one side, [`services`](crate::services) on the other. A handler takes the request apart,
//! calls the service and gives its result a shape; it decides nothing.

pub mod activities;
pub mod health;
pub mod messages;
pub mod reachability;
pub mod rollbar;
