//! The page's content: a card each for the name, the address, the place and the sites.

use clarity_domain::view::workspace_settings::WorkspaceSettings;
use leptos::{form::ActionForm, prelude::*};

use super::{
    address::AddressCard,
    api::{AddSite, ChangeAddress, MovePlace, RemoveSite, Rename, SetSite},
    place::PlaceCard,
    sites::SitesCard,
};
use crate::{
    error::PageError,
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    ui::{
        button::{Button, Kind},
        card::Card,
        field::Field,
    },
};

/// The forms of the page. It reads again when one of them has changed something; what was refused stays as it was typed.
#[derive(Clone, Copy)]
pub struct Forms {
    pub rename: ServerAction<Rename>,
    pub address: ServerAction<ChangeAddress>,
    pub place: ServerAction<MovePlace>,
    pub add: ServerAction<AddSite>,
    pub set: ServerAction<SetSite>,
    pub remove: ServerAction<RemoveSite>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self {
            rename: ServerAction::new(),
            address: ServerAction::new(),
            place: ServerAction::new(),
            add: ServerAction::new(),
            set: ServerAction::new(),
            remove: ServerAction::new(),
        }
    }

    /// Changes when the page has to be read again, and the frame with it.
    pub fn sent(self) -> Memo<usize> {
        let values = [
            self.rename.value(),
            self.address.value(),
            self.place.value(),
            self.add.value(),
            self.set.value(),
            self.remove.value(),
        ];
        let done = values.map(|value| {
            Memo::new(move |before: Option<&usize>| {
                // Asked as well when the page is about to go, and its actions are gone.
                let done = value.try_with(|value| matches!(value, Some(Ok(())))).unwrap_or_default();
                before.copied().unwrap_or_default() + usize::from(done)
            })
        });
        Memo::new(move |_| done.iter().filter_map(|done| done.try_get()).sum())
    }

    /// What was refused, where no field of a form says it.
    fn failed(self) -> Option<PageError> {
        type Sent = Option<Result<(), PageError>>;
        let of_fields: [(Sent, &[&str]); 6] = [
            (self.rename.value().get(), &["name"]),
            (self.address.value().get(), &["address"]),
            (self.place.value().get(), &["region", "time_zone"]),
            (self.add.value().get(), &["site", "site_zone"]),
            (self.set.value().get(), &[]),
            (self.remove.value().get(), &[]),
        ];
        of_fields
            .into_iter()
            .filter_map(|(value, fields)| value.and_then(Result::err).map(|error| (error, fields)))
            .find(|(error, fields)| error.beside_fields(fields).is_some())
            .map(|(error, _)| error)
    }
}

#[component]
pub fn SettingsContent(slug: String, page: WorkspaceSettings, forms: Forms) -> impl IntoView {
    let of_name = Signal::derive(move || {
        forms.rename.value().get().and_then(Result::err).and_then(|error| error.of_field("name"))
    });
    let name = page.name.clone();
    let lead = if page.region.is_empty() { page.name.clone() } else { format!("{}, {}", page.name, page.region) };
    let of_form = slug.clone();
    let sites = page.sites.clone();
    let zones = page.zones.clone();
    view! {
        <Page crumbs=vec![Crumb::here("Settings")]>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"Workspace settings"</h1><p>{lead}</p></div>
            </div>
            <div class="cs-stack">
                {move || forms.failed().map(|error| view! { <Refused error/> })}
                <Card title="Name" remark="as it stands on every page and in letters">
                    <ActionForm action=forms.rename>
                        <input type="hidden" name="slug" value=of_form/>
                        <div class="cs-form">
                            <Field name="name" label="Name of the workspace" value=name maxlength=120 autocomplete="off" help="Its address stays as it is" error=of_name/>
                            <Button kind=Kind::Primary submit=true disabled=Signal::derive(move || forms.rename.pending().get())>"Rename"</Button>
                        </div>
                    </ActionForm>
                </Card>
                <AddressCard slug=slug.clone() page=page.clone() forms/>
                <PlaceCard slug=slug.clone() page forms/>
                <SitesCard slug sites zones forms/>
            </div>
        </Page>
    }
}
