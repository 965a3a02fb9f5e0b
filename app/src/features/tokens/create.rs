//! The forms that make tokens: one with a new service account, one for an account that is there.

use clarity_domain::{role::Role, view::tokens::ServiceAccount};
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{Add, Create},
    model,
};
use crate::{
    layout::refused::Refused,
    ui::{
        button::{Button, Kind},
        checks::Checks,
        choice::Choice,
        field::Field,
    },
};

/// Fields that show their own error.
const FIELDS: [&str; 2] = ["name", "scopes"];

#[component]
pub fn CreateForm(
    slug: String,
    /// The least that the viewer is.
    viewer: Role,
    create: ServerAction<Create>,
) -> impl IntoView {
    let error = Signal::derive(move || create.value().get().and_then(Result::err));
    let of_name = Signal::derive(move || error.get().and_then(|error| error.of_field("name")));
    let of_scopes = Signal::derive(move || error.get().and_then(|error| error.of_field("scopes")));
    view! {
        <ActionForm action=create>
            {move || error.get().filter(|error| error.beside_fields(&FIELDS).is_some()).map(|error| view! { <Refused error/> })}
            <input type="hidden" name="slug" value=slug/>
            <div class="cs-tokens__form">
                <Field name="name" id="token-name" label="Name of the program" maxlength=80 autocomplete="off" error=of_name/>
                <Choice id="token-role" name="role" label="Role" choices=model::roles(viewer) value=Role::Viewer.as_str()/>
                <Choice id="token-days" name="days" label="Works for" choices=model::lives() value=model::USUAL_LIFE.to_string()/>
                <Checks id="token-scopes" name="scopes[]" legend="May read" checks=model::checks() error=of_scopes/>
            </div>
            <Button submit=true large=true kind=Kind::Primary disabled=Signal::derive(move || create.pending().get())>
                {move || if create.pending().get() { "Making" } else { "Make token" }}
            </Button>
        </ActionForm>
    }
}

/// Another token of an account; what goes wrong is told above the page.
#[component]
pub fn AddForm(slug: String, account: ServiceAccount, add: ServerAction<Add>) -> impl IntoView {
    let id = account.id.to_string();
    view! {
        <ActionForm action=add>
            <input type="hidden" name="slug" value=slug/>
            <input type="hidden" name="account" value=id.clone()/>
            <div class="cs-tokens__more">
                <Field name="name" id=format!("name-{id}") label="What it is for" maxlength=80 autocomplete="off"/>
                <Choice id=format!("days-{id}") name="days" label="Works for" choices=model::lives() value=model::USUAL_LIFE.to_string()/>
                <Checks id=format!("scopes-{id}") name="scopes[]" legend="May read" checks=model::checks()/>
            </div>
            <Button submit=true kind=Kind::Primary disabled=Signal::derive(move || add.pending().get())>"Make another token"</Button>
        </ActionForm>
    }
}
