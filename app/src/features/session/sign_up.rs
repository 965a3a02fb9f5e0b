//! The sign-up form: a workspace and its first person.

use leptos::{form::ActionForm, prelude::*};

use super::api::SignUp;
use crate::ui::{
    button::{Button, Kind},
    field::Field,
    note::Banner,
    pill::Tone,
};

const FIELDS: [&str; 4] = ["workspace", "name", "email", "password"];

#[component]
pub fn SignUpForm() -> impl IntoView {
    let action = ServerAction::<SignUp>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&FIELDS)).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <Field name="workspace" label="Workspace" autocomplete="organization" help="Your company or plant; it can be renamed" autofocus=true error=of("workspace")/>
            <Field name="name" label="Your name" autocomplete="name" error=of("name")/>
            <Field name="email" label="Work e-mail" kind="email" autocomplete="username" error=of("email")/>
            <Field name="password" label="Password" kind="password" autocomplete="new-password" minlength=12 help="At least 12 characters" error=of("password")/>
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Creating the workspace" } else { "Create workspace" }}
            </Button>
        </ActionForm>
    }
}
