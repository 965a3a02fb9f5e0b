//! Region and time zone of the workspace.

use clarity_domain::view::set_up::{SetUp, SetUpStep, StepState};
use leptos::{form::ActionForm, prelude::*};

use super::{
    content::Forms,
    step::{SkipButton, own_zone},
};
use crate::ui::{
    button::{Button, Kind},
    card::Card,
    listed::Listed,
    note::Banner,
    pill::Tone,
};

/// Offered while one types; any other word is fine.
pub const REGIONS: [&str; 7] =
    ["Africa", "Asia", "Australia and Oceania", "Europe", "Middle East", "North America", "South America"];

#[component]
pub fn PlaceForm(slug: String, page: SetUp, forms: Forms) -> impl IntoView {
    let error = Signal::derive(move || forms.place.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    let regions: Vec<String> = REGIONS.map(str::to_owned).into();
    // Nobody has said it yet: then the browser's is the better guess.
    let unsaid = page.state(SetUpStep::Place) != StepState::Done;
    let guess: fn() -> Option<String> = if unsaid { own_zone } else { || None };
    let skip = view! { <SkipButton slug=slug.clone() step=SetUpStep::Place forms/> };
    view! {
        <Card title="Place and time zone" remark="step 1 of 4">
            <div class="cs-stack">
                {move || error.get().and_then(|error| error.beside_fields(&["region", "time_zone"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
                <ActionForm action=forms.place>
                    <input type="hidden" name="slug" value=slug/>
                    <div class="cs-form">
                        <Listed name="time_zone" label="Time zone" value=page.time_zone choices=page.zones guess required=true maxlength=64 help="Today's figures begin at midnight there. Type a city; it can be changed at any time" error=of("time_zone")/>
                        <Listed name="region" label="Region (optional)" value=page.region choices=regions maxlength=60 help="A word for you and your colleagues; nothing depends on it" error=of("region")/>
                        <Button kind=Kind::Primary submit=true disabled=Signal::derive(move || forms.place.pending().get())>"Save and continue"</Button>
                    </div>
                </ActionForm>
                {skip}
            </div>
        </Card>
    }
}
