//! Showing again that it is you, before an act that a session alone does not allow.

use leptos::{form::ActionForm, prelude::*};

use crate::{
    features::{
        passkeys::{Purpose, ShowPasskey},
        session::api::ConfirmIt,
    },
    ui::{
        button::{Button, Kind},
        field::Field,
        note::Banner,
        pill::Tone,
    },
};

#[component]
pub fn ConfirmItForm(
    /// The person has a second factor.
    with_code: bool,
    /// It is an app that makes codes.
    with_app: bool,
    with_passkey: bool,
    /// Where to go back to.
    next: Option<String>,
    confirm: ServerAction<ConfirmIt>,
) -> impl IntoView {
    let error = Signal::derive(move || confirm.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    let fields: &'static [&'static str] = if with_code { &["password", "code"] } else { &["password"] };
    let (label, help, inputmode) = if with_app {
        ("Code of your app", "Or a recovery code", "numeric")
    } else {
        ("Recovery code", "Or use your passkey", "text")
    };
    let after = next.clone();
    view! {
        {with_passkey.then(|| view! {
            <ShowPasskey purpose=Purpose::Confirm label="Use a passkey" next=Signal::stored(after)/>
        })}
        <ActionForm action=confirm>
            {move || error.get().and_then(|error| error.beside_fields(fields)).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
            <Field name="password" label="Password" kind="password" autocomplete="current-password" autofocus=true error=of("password")/>
            {with_code.then(|| view! {
                <Field name="code" label autocomplete="one-time-code" inputmode maxlength=20 help error=of("code")/>
            })}
            <Button kind=Kind::Primary submit=true large=true disabled=Signal::derive(move || confirm.pending().get())>
                {move || if confirm.pending().get() { "Confirming" } else { "Confirm" }}
            </Button>
        </ActionForm>
    }
}
