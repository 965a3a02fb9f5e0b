//! The button that shows a passkey. It is there once a script can ask for one.

use leptos::prelude::*;

use super::ask::{self, Asking};
use crate::{
    layout::refused::Refused,
    ui::{button::Button, time::Clock},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// After the password, in place of a code.
    SecondStep,
    /// In place of address and password as well.
    SignIn,
    /// Before a dangerous act.
    Confirm,
}

#[component]
pub fn ShowPasskey(
    purpose: Purpose,
    label: &'static str,
    /// Where to go on to.
    #[prop(into)]
    next: Signal<Option<String>>,
) -> impl IntoView {
    let clock: Clock = expect_context();
    let running = clock.is_running();
    let asking = Asking::idle();
    let button = move || {
        let go = move |_| ask::show(purpose, next.get_untracked(), asking);
        view! {
            <Button large=true disabled=asking.busy on:click=go>
                {move || if asking.busy.get() { "Waiting for your device" } else { label }}
            </Button>
        }
    };
    view! {
        {move || asking.refused.get().map(|error| view! { <Refused error/> })}
        {move || running.get().then(button)}
    }
}
