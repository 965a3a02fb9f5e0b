//! Whether whoever comes back to a page is still signed in: what it shows does not stay on the screen when the session has ended
//! meanwhile.
//!
//! A page is told by its stream within seconds. One whose stream broke meanwhile, as on a machine that slept, asks when its window
//! is turned to again; not by the clock, which would keep a session alive that nobody uses. One whose stream is refused asks as
//! well: a browser does not say why it was.

use clarity_domain::error::ErrorCode;
use leptos::{prelude::*, task::spawn_local};

use crate::features::session::api;

/// Asks while the frame is there.
pub fn watch(slug: Memo<String>) {
    let handle = window_event_listener(leptos::ev::focus, move |_| {
        let Some(slug) = slug.try_get_untracked() else { return };
        spawn_local(async move {
            if why_not(slug).await == Some(ErrorCode::Unauthenticated) {
                load_anew();
            }
        });
    });
    on_cleanup(move || handle.remove());
}

/// Why the visitor has no seat in the workspace, or why that is not known; `None`: they have one.
pub async fn why_not(slug: String) -> Option<ErrorCode> {
    api::seat(slug).await.err().map(|error| error.code())
}

/// To the sign-in and from there back, or to what the page is for them now.
pub fn load_anew() {
    drop(window().location().reload());
}
