//! A password that was forgotten: asking for a link, and choosing a new one behind it.

use leptos::{form::ActionForm, prelude::*};

use super::api::{AskReset, Reset};
use crate::ui::{
    button::{Button, Kind},
    field::Field,
    note::Banner,
    pill::Tone,
};

#[component]
pub fn AskResetForm() -> impl IntoView {
    let action = ServerAction::<AskReset>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&["email"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <Field name="email" label="Work e-mail" kind="email" autocomplete="username" maxlength=254 autofocus=true error=of("email")/>
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Sending the link" } else { "Send the link" }}
            </Button>
        </ActionForm>
    }
}

#[component]
pub fn ResetForm(token: String, email: String) -> impl IntoView {
    let action = ServerAction::<Reset>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&["password"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <input type="hidden" name="token" value=token/>
            // For the browser's list of passwords: which account the new one is for.
            <input type="email" value=email autocomplete="username" readonly hidden/>
            <Field name="password" label="New password" kind="password" autocomplete="new-password" minlength=12 help="At least 12 characters" autofocus=true error=of("password")/>
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Changing the password" } else { "Change password" }}
            </Button>
        </ActionForm>
    }
}
