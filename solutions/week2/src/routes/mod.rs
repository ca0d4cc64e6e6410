//! HTTP on one side, [`services`](crate::services) on the other. A handler takes the request apart,
//! calls the service and gives its result a shape; it decides nothing.

pub mod activities;
pub mod health; //@ since setup/a-health-route
pub mod messages;
pub mod reachability; //@ since honeycomb/requests-that-go-out
pub mod rollbar; //@ since rollbar/a-message
