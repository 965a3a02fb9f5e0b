//! Behind an enrolment link: the secret for the app, a password, and the app's first code, all of them needed.

use clarity_domain::view::support::OpsEnrolment;
use leptos::{form::ActionForm, prelude::*};

use super::api::EnrolOps;
use crate::ui::{
    button::{Button, Kind},
    copy::CopyCode,
    field::Field,
    note::Banner,
    pill::Tone,
    qr::Qr,
};

const FIELDS: [&str; 2] = ["password", "code"];

#[component]
pub fn EnrolForm(token: String, enrolment: OpsEnrolment) -> impl IntoView {
    let OpsEnrolment { person, app } = enrolment;
    let action = ServerAction::<EnrolOps>::new();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <p>"Scan this with your authenticator app:"</p>
        <Qr modules=app.picture.modules path=app.picture.path label="QR code for your authenticator app"/>
        <p class="cs-quiet">"On this device: " <a class="cs-link" href=app.url>"open your app"</a> ". Or type the secret into it:"</p>
        <CopyCode code=app.secret what="the secret"/>
        <ActionForm action=action>
            {move || error.get().and_then(|error| error.beside_fields(&FIELDS)).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <input type="hidden" name="token" value=token/>
            // For the browser's list of passwords: which account the new one is for.
            <input type="email" value=person.email autocomplete="username" readonly hidden/>
            <Field name="password" label="Password" kind="password" autocomplete="new-password" minlength=12 help="At least 12 characters" error=of("password")/>
            <Field name="code" label="Code that the app shows" autocomplete="one-time-code" inputmode="numeric" maxlength=12 error=of("code")/>
            <Button kind=Kind::Primary submit=true large=true disabled=action.pending()>
                {move || if action.pending().get() { "Finishing" } else { "Finish" }}
            </Button>
        </ActionForm>
    }
}
