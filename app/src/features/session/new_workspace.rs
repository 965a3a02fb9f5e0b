//! One more workspace, for somebody who is signed in.

use leptos::{form::ActionForm, prelude::*};

use super::api::AddWorkspace;
use crate::ui::{
    button::{Button, Kind},
    field::Field,
    note::Banner,
    pill::Tone,
};

#[component]
pub fn NewWorkspaceForm() -> impl IntoView {
    let action = ServerAction::<AddWorkspace>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&["workspace"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <Field name="workspace" label="Workspace" autocomplete="organization" help="A company or plant. Its name and address can be changed in its settings" autofocus=true error=of("workspace")/>
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Creating the workspace" } else { "Create workspace" }}
            </Button>
        </ActionForm>
    }
}
