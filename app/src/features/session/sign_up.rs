//! The first step of an account: an address to write to.

use leptos::{form::ActionForm, prelude::*};

use super::api::SignUp;
use crate::ui::{
    button::{Button, Kind},
    field::Field,
    note::Banner,
    pill::Tone,
};

#[component]
pub fn SignUpForm() -> impl IntoView {
    let action = ServerAction::<SignUp>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&["email"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <Field name="email" label="Work e-mail" kind="email" autocomplete="username" maxlength=254 help="We send you a link to go on" autofocus=true error=of("email")/>
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Sending the link" } else { "Send the link" }}
            </Button>
        </ActionForm>
    }
}
