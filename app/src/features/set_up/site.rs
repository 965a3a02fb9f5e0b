//! The first site, where machines are that no site is known of.

use clarity_domain::view::set_up::{SetUp, SetUpStep};
use leptos::{form::ActionForm, prelude::*};

use super::{content::Forms, step::SkipButton};
use crate::ui::{
    button::{Button, Kind},
    card::Card,
    listed::Listed,
    note::Banner,
    pill::Tone,
};

#[component]
pub fn SiteForm(slug: String, page: SetUp, forms: Forms) -> impl IntoView {
    let error = Signal::derive(move || forms.site.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    let fixed = page.site_zone_fixed;
    let help = if fixed {
        "Days of its machines were cut at midnight there already, so it stays"
    } else {
        "The days of its machines begin at midnight there. It stays once there is data"
    };
    let skip = view! { <SkipButton slug=slug.clone() step=SetUpStep::Site forms/> };
    view! {
        <Card title="First site" remark="step 2 of 4">
            <div class="cs-stack">
                <p class="cs-quiet">"A site is a place with machines. Those whose data names no site are at this one; other sites appear as your data names them."</p>
                {move || error.get().and_then(|error| error.beside_fields(&["name", "time_zone"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
                <ActionForm action=forms.site>
                    <input type="hidden" name="slug" value=slug/>
                    <div class="cs-form">
                        <Listed name="name" label="Name of the site" value=page.site required=true help="As your people call it" error=of("name")/>
                        <Listed name="time_zone" label="Time zone of the site" value=page.site_zone choices=page.zones required=true locked=fixed maxlength=64 help error=of("time_zone")/>
                        <Button kind=Kind::Primary submit=true disabled=Signal::derive(move || forms.site.pending().get())>"Save and continue"</Button>
                    </div>
                </ActionForm>
                {skip}
            </div>
        </Card>
    }
}
