//! The page's two forms. The frame follows them: its word on every page is read again when one was sent.

use leptos::prelude::*;

use super::api::{Keep, RequestDeletion};

#[derive(Clone, Copy)]
pub struct Forms {
    pub request: ServerAction<RequestDeletion>,
    pub keep: ServerAction<Keep>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { request: ServerAction::new(), keep: ServerAction::new() }
    }

    /// Changes when what is shown has to be read again. A request that was refused is not read again for: what was typed
    /// stays.
    pub fn sent(self) -> Memo<usize> {
        // Asked as well when the page is about to go, and its actions are gone.
        Memo::new(move |before: Option<&usize>| {
            let done = self.request.value().try_with(|value| matches!(value, Some(Ok(())))).unwrap_or_default();
            let kept = self.keep.version().try_get().unwrap_or_default();
            let requested = (before.copied().unwrap_or_default() >> 16) + usize::from(done);
            (requested << 16) | (kept & 0xffff)
        })
    }
}
