//! The form that shows that an account is one's own, once; from then on single sign-on leads to it.

use clarity_domain::view::sso::SsoLink;
use leptos::{form::ActionForm, prelude::*};

use super::api::Link;
use crate::ui::{
    button::{Button, Kind},
    field::Field,
    note::Banner,
    pill::Tone,
};

#[component]
pub fn LinkForm(page: SsoLink, link: ServerAction<Link>) -> impl IntoView {
    let error = Signal::derive(move || link.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    let fields: &'static [&'static str] = if page.with_code { &["password", "code"] } else { &["password"] };
    let words = format!(
        "{} has an account here already. Give its password once, and single sign-on of {} leads to it from then on.",
        page.email, page.workspace
    );
    view! {
        <p class="cs-quiet">{words}</p>
        <ActionForm action=link>
            {move || error.get().and_then(|error| error.beside_fields(fields)).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <Field name="password" label="Password" kind="password" autocomplete="current-password" autofocus=true error=of("password")/>
            {page.with_code.then(|| view! {
                <Field name="code" label="Code of your app" autocomplete="one-time-code" inputmode="numeric" maxlength=20 help="Or a recovery code" error=of("code")/>
            })}
            <Button kind=Kind::Primary submit=true large=true disabled=Signal::derive(move || link.pending().get())>
                {move || if link.pending().get() { "Linking" } else { "Link and sign in" }}
            </Button>
        </ActionForm>
    }
}
