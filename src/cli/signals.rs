use tokio_util::sync::CancellationToken;

/// A token that the first Ctrl-C (or SIGTERM, or the end of the terminal) cancels, so that everything that was started is ended in order.
pub fn cancelled_by_user() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        asked_to_end().await;
        cancel.cancel();
    });
    token
}

/// From here on Ctrl-C does not end this process: a child has the terminal, and decides. Were the child left alone with it, the
/// terminal would stay as the child had set it.
#[cfg(unix)]
pub fn leave_interrupts_to_the_child() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    let _entered = runtime.enter();
    // The handler stays when the runtime goes.
    let _ = signal(SignalKind::interrupt());
}

#[cfg(not(unix))]
pub fn leave_interrupts_to_the_child() {}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        // The terminal was closed.
        _ = hang_up.recv() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    let _ = tokio::signal::ctrl_c().await;
}
