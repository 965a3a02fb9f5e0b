//! Whether whoever comes back to a page is still signed in: what it shows does not stay on the screen when the session has ended
//! meanwhile.
//!
//! A page is told by its stream within seconds. One whose stream broke meanwhile, as on a machine that slept, asks when its window
//! is turned to again; not by the clock, which would keep a session alive that nobody uses.

use clarity_domain::error::ErrorCode;
use leptos::{prelude::*, task::spawn_local};

use crate::features::session::api;

/// Asks while the frame is there.
pub fn watch(slug: Memo<String>) {
    let handle = window_event_listener(leptos::ev::focus, move |_| {
        let Some(slug) = slug.try_get_untracked() else { return };
        spawn_local(async move {
            let asked = api::frame(slug).await;
            if asked.is_err_and(|error| error.code() == ErrorCode::Unauthenticated) {
                // To the sign-in, and from there back.
                drop(window().location().reload());
            }
        });
    });
    on_cleanup(move || handle.remove());
}
