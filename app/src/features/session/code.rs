//! The second step of a sign-in: the app's code, or a recovery code when the app is lost.

use clarity_domain::view::second_factor::SecondStep;
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::api::FinishSignIn;
use crate::{
    features::passkeys::{Purpose, ShowPasskey},
    paths,
    ui::{
        button::{Button, Kind},
        field::Field,
        note::Banner,
        pill::Tone,
    },
};

#[component]
pub fn CodeForm(
    /// What the person has.
    step: SecondStep,
) -> impl IntoView {
    let action = ServerAction::<FinishSignIn>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of_code = Signal::derive(move || error.get().and_then(|error| error.of_field("code")));
    let query = use_query_map();
    let next = move || query.with(|query| query.get("next"));
    let SecondStep { app, passkey } = step;
    // Who has no app has no other code.
    let recovery = move || !app || query.with(|query| query.get_str("recovery").is_some());
    let field = move || {
        if recovery() {
            view! { <Field name="code" label="Recovery code" autocomplete="off" maxlength=20 help="One of the ten that you kept, such as ABCDE-23456" autofocus=true error=of_code/> }.into_any()
        } else {
            view! { <Field name="code" label="Code of your app" autocomplete="one-time-code" inputmode="numeric" maxlength=12 autofocus=true error=of_code/> }.into_any()
        }
    };
    let other = move || {
        let (words, href) = if recovery() {
            ("Use a code of your app", paths::sign_in_code(next().as_deref()))
        } else {
            ("Use a recovery code", paths::sign_in_by_recovery(next().as_deref()))
        };
        app.then(|| view! { <p class="cs-quiet"><a class="cs-link" href=href>{words}</a></p> })
    };
    view! {
        {passkey.then(|| view! {
            <ShowPasskey purpose=Purpose::SecondStep label="Use a passkey" next=Signal::derive(next)/>
        })}
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&["code"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            {move || next().map(|next| view! { <input type="hidden" name="next" value=next/> })}
            {field}
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Signing in" } else { "Sign in" }}
            </Button>
        </ActionForm>
        {other}
    }
}
