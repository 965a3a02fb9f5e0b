//! Drawing once on the server.
//!
//! Before a `Suspense` is drawn, its children are walked to find what they wait for. That walk makes everything that is
//! ready, and throws it away. What waits here first is not ready in the walk, so it is made only when it is sent.

use std::{future::poll_fn, mem::replace, task::Poll};

/// On the server, not ready when it is first asked; in the browser, ready.
pub async fn drawn_once() {
    let mut asked = !cfg!(feature = "ssr");
    poll_fn(|task| {
        if replace(&mut asked, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    #[test]
    fn the_walk_finds_it_waiting_and_the_drawing_does_not_wait() {
        let mut once = pin!(drawn_once());
        let mut task = Context::from_waker(Waker::noop());
        assert_eq!(once.as_mut().poll(&mut task).is_pending(), cfg!(feature = "ssr"));
        if cfg!(feature = "ssr") {
            assert!(once.as_mut().poll(&mut task).is_ready());
        }
    }
}
