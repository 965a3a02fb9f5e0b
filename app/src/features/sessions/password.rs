//! The form for another password.

use leptos::{form::ActionForm, prelude::*};

use super::api::ChangePassword;
use crate::ui::{
    button::{Button, Kind},
    card::Card,
    field::Field,
    note::Banner,
    pill::Tone,
};

#[component]
pub fn PasswordCard(slug: String, change: ServerAction<ChangePassword>, changed: Signal<bool>) -> impl IntoView {
    let error = Signal::derive(move || change.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <Card title="Password" remark="a new one ends your other sessions">
            {move || changed.get().then(|| view! { <Banner tone=Tone::Ok>"Your password is changed."</Banner> })}
            {move || error.get().and_then(|error| error.beside_fields(&["current", "password"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <ActionForm action=change><div class="cs-form">
                <input type="hidden" name="slug" value=slug/>
                <Field name="current" label="Your password" kind="password" autocomplete="current-password" error=of("current")/>
                <Field name="password" label="New password" kind="password" autocomplete="new-password" minlength=12 help="At least 12 characters" error=of("password")/>
                <Button kind=Kind::Primary submit=true disabled=change.pending()>
                    {move || if change.pending().get() { "Changing the password" } else { "Change password" }}
                </Button>
            </div></ActionForm>
        </Card>
    }
}
