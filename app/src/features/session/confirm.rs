//! The second step of an account, behind the link: a workspace, its first person, and their password.

use leptos::{form::ActionForm, prelude::*};

use super::api::Confirm;
use crate::ui::{
    button::{Button, Kind},
    field::Field,
    note::Banner,
    pill::Tone,
};

const FIELDS: [&str; 3] = ["workspace", "name", "password"];

#[component]
pub fn ConfirmForm(token: String, email: String) -> impl IntoView {
    let action = ServerAction::<Confirm>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&FIELDS)).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <input type="hidden" name="token" value=token/>
            // For the browser's list of passwords: which account the new one is for.
            <input type="email" value=email autocomplete="username" readonly hidden/>
            <Field name="workspace" label="Workspace" autocomplete="organization" help="Your company or plant. Its name and address can be changed in its settings" autofocus=true error=of("workspace")/>
            <Field name="name" label="Your name" autocomplete="name" error=of("name")/>
            <Field name="password" label="Password" kind="password" autocomplete="new-password" minlength=12 help="At least 12 characters" error=of("password")/>
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Creating the workspace" } else { "Create workspace" }}
            </Button>
        </ActionForm>
    }
}
