//! The sign-in form.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::api::SignIn;
use crate::ui::{
    button::{Button, Kind},
    field::Field,
    note::Banner,
    pill::Tone,
};

#[component]
pub fn SignInForm() -> impl IntoView {
    let action = ServerAction::<SignIn>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    let next = use_query_map().get_untracked().get("next");
    view! {
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&["email", "password"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
            <Field name="email" label="Work e-mail" kind="email" autocomplete="username" autofocus=true error=of("email")/>
            <Field name="password" label="Password" kind="password" autocomplete="current-password" error=of("password")/>
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Signing in" } else { "Sign in" }}
            </Button>
        </ActionForm>
    }
}
