//! The sign-in of the platform's own people: there is no way in without a code.

use leptos::{form::ActionForm, prelude::*};

use super::api::OpsSignIn;
use crate::ui::{
    button::{Button, Kind},
    field::Field,
    note::Banner,
    pill::Tone,
};

const FIELDS: [&str; 3] = ["email", "password", "code"];

#[component]
pub fn SignInForm() -> impl IntoView {
    let action = ServerAction::<OpsSignIn>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&FIELDS)).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <Field name="email" label="E-mail" kind="email" autocomplete="username" maxlength=254 autofocus=true error=of("email")/>
            <Field name="password" label="Password" kind="password" autocomplete="current-password" error=of("password")/>
            <Field name="code" label="Code of your app" autocomplete="one-time-code" inputmode="numeric" maxlength=12 error=of("code")/>
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Signing in" } else { "Sign in" }}
            </Button>
        </ActionForm>
    }
}
