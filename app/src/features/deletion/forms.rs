//! The two forms. They are the frame's, so that its word on every page is read again when the page's own form was sent.

use leptos::prelude::*;

use super::api::{Keep, RequestDeletion};

#[derive(Clone, Copy)]
pub struct Forms {
    pub request: ServerAction<RequestDeletion>,
    pub keep: ServerAction<Keep>,
}

impl Forms {
    /// Unsent, for this component and all below it.
    pub fn provide() -> Self {
        let forms = Self { request: ServerAction::new(), keep: ServerAction::new() };
        provide_context(forms);
        forms
    }

    /// Changes when what is shown has to be read again. A request that was refused is not read again for: what was typed
    /// stays.
    pub fn sent(self) -> Memo<[usize; 2]> {
        let requested = Memo::new(move |before: Option<&usize>| {
            let done = self.request.value().with(|value| matches!(value, Some(Ok(()))));
            before.copied().unwrap_or_default() + usize::from(done)
        });
        Memo::new(move |_| [requested.get(), self.keep.version().get()])
    }
}

/// Those of the frame around the page.
pub fn use_forms() -> Forms {
    expect_context()
}
