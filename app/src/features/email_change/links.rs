//! What the links of both letters show. A page changes nothing by being opened: mail scanners open links.

use clarity_domain::view::session::EmailChange;
use leptos::{form::ActionForm, prelude::*};

use super::api::{Change, Stop};
use crate::{
    layout::refused::Refused,
    ui::button::{Button, Kind},
};

/// For the person, signed in.
#[component]
pub fn ConfirmEmailForm(token: String, link: EmailChange) -> impl IntoView {
    let change = ServerAction::<Change>::new();
    let error = move || change.value().get().and_then(Result::err);
    view! {
        <p>"From then on you sign in as " <b class="cs-email">{link.to}</b> ", and letters go there. Your other sessions end."</p>
        <ActionForm action=change>
            {move || error().map(|error| view! { <Refused error/> })}
            <input type="hidden" name="token" value=token/>
            <Button kind=Kind::Primary submit=true large=true disabled=Signal::derive(move || change.pending().get())>
                {move || if change.pending().get() { "Changing the address" } else { "Use this e-mail" }}
            </Button>
        </ActionForm>
    }
}

/// For whoever reads the old mailbox.
#[component]
pub fn StopEmailForm(token: String, link: EmailChange) -> impl IntoView {
    let stop = ServerAction::<Stop>::new();
    let error = move || stop.value().get().and_then(Result::err);
    view! {
        <p>"The account is to have the e-mail " <b class="cs-email">{link.to}</b> " instead. If you did not ask for it, somebody is signed in as you: this ends every session, and then you choose a new password."</p>
        <ActionForm action=stop>
            {move || error().map(|error| view! { <Refused error/> })}
            <input type="hidden" name="token" value=token/>
            <Button kind=Kind::Danger submit=true large=true disabled=Signal::derive(move || stop.pending().get())>
                {move || if stop.pending().get() { "Stopping the change" } else { "Stop the change" }}
            </Button>
        </ActionForm>
    }
}
