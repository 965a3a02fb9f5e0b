//! Region and time zone of the workspace.

use clarity_domain::view::workspace_settings::WorkspaceSettings;
use leptos::{form::ActionForm, prelude::*};

use super::Forms;
use crate::{
    features::set_up::REGIONS,
    ui::{
        button::{Button, Kind},
        card::Card,
        listed::Listed,
    },
};

#[component]
pub fn PlaceCard(slug: String, page: WorkspaceSettings, forms: Forms) -> impl IntoView {
    let error = Signal::derive(move || forms.place.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    let regions: Vec<String> = REGIONS.map(str::to_owned).into();
    view! {
        <Card title="Place and time zone">
            <ActionForm action=forms.place>
                <input type="hidden" name="slug" value=slug/>
                <div class="cs-form">
                    <Listed name="time_zone" label="Time zone" value=page.time_zone choices=page.zones required=true maxlength=64 help="Today's figures begin at midnight there" error=of("time_zone")/>
                    <Listed name="region" label="Region (optional)" value=page.region choices=regions maxlength=60 help="A word for people: it stands here and where our support looks for you; nothing depends on it" error=of("region")/>
                    <Button kind=Kind::Primary submit=true disabled=Signal::derive(move || forms.place.pending().get())>"Save the place"</Button>
                </div>
            </ActionForm>
        </Card>
    }
}
