//! Asking the server, then the device, then the server: a whole passkey ceremony from a press of a button.
//!
//! In the server's build nothing is asked: no button is pressed there.

use leptos::prelude::*;

use super::show::Purpose;
use crate::error::PageError;

/// What is being done, and what it was answered when it was no.
#[derive(Clone, Copy)]
pub struct Asking {
    pub busy: RwSignal<bool>,
    pub refused: RwSignal<Option<PageError>>,
}

impl Asking {
    pub fn idle() -> Self {
        Self { busy: RwSignal::new(false), refused: RwSignal::new(None) }
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::{prelude::*, task::spawn_local};
    use wasm_bindgen::JsCast;

    use super::{Asking, Purpose};
    use crate::{
        error::PageError,
        features::passkeys::{api, js},
        wire::Wire,
    };

    pub fn show(purpose: Purpose, next: Option<String>, asking: Asking) {
        run(asking, None, async move {
            let Wire(options) = match purpose {
                Purpose::SecondStep => api::begin_second_step().await?,
                Purpose::SignIn => api::begin_sign_in().await?,
                Purpose::Confirm => api::begin_confirm().await?,
            };
            let credential = js::show(&options).await?;
            match purpose {
                Purpose::SecondStep => api::second_step(credential, next).await,
                Purpose::SignIn => api::sign_in(credential, next).await,
                Purpose::Confirm => api::confirm(credential, next).await,
            }
        });
    }

    pub fn add(name_field: &'static str, next: Option<String>, asking: Asking, added: RwSignal<usize>) {
        let field = document().get_element_by_id(name_field);
        let name =
            field.and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok()).map(|field| field.value());
        run(asking, Some(added), async move {
            let Wire(options) = api::begin_add().await?;
            let credential = js::make(&options).await?;
            api::add(name.unwrap_or_default(), credential, next).await
        });
    }

    /// The page may have been left when the answer comes: then its signals are gone.
    fn run(asking: Asking, done: Option<RwSignal<usize>>, what: impl Future<Output = Result<(), PageError>> + 'static) {
        asking.busy.set(true);
        asking.refused.set(None);
        spawn_local(async move {
            let answer = what.await;
            asking.busy.try_set(false);
            match answer {
                Ok(()) => {
                    if let Some(done) = done {
                        done.try_update(|count| *count += 1);
                    }
                }
                Err(error) => {
                    asking.refused.try_set(Some(error));
                }
            }
        });
    }
}

#[cfg(feature = "hydrate")]
pub use browser::{add, show};

#[cfg(not(feature = "hydrate"))]
pub fn show(_: Purpose, _: Option<String>, _: Asking) {}

#[cfg(not(feature = "hydrate"))]
pub fn add(_: &'static str, _: Option<String>, _: Asking, _: RwSignal<usize>) {}
