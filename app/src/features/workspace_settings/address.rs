//! The workspace's address, those it had before, and the form for another one.

use clarity_domain::view::workspace_settings::WorkspaceSettings;
use leptos::{form::ActionForm, prelude::*};

use super::Forms;
use crate::{
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        card::Card,
        field::Field,
    },
};

#[component]
pub fn AddressCard(slug: String, page: WorkspaceSettings, forms: Forms) -> impl IntoView {
    let WorkspaceSettings { slug: now, base, former, may_change_address, confirmed, by_sso, .. } = page;
    let address = format!("{base}{now}");
    let before = (!former.is_empty()).then(|| {
        let rows = former.into_iter().map(|slug| view! { <li>{slug}</li> }).collect_view();
        view! {
            <div>
                <p>"It had these before, and members who follow an old link are led on:"</p>
                <ul class="cs-settings__former">{rows}</ul>
            </div>
        }
    });
    let sso = (may_change_address && by_sso).then(|| {
        view! { <p class="cs-quiet">"Single sign-on goes on as it is: the redirect address at your provider does not change, and a link there to the sign-in of this workspace goes on working."</p> }
    });
    let form = match (may_change_address, confirmed) {
        (false, _) => view! { <p class="cs-quiet">"An owner can change it."</p> }.into_any(),
        (true, false) => {
            let href = paths::confirm_then(&paths::settings(&slug));
            view! { <div><LinkButton href>"Confirm that it is you to change it"</LinkButton></div> }.into_any()
        }
        (true, true) => view! { <Change slug now forms/> }.into_any(),
    };
    view! {
        <Card title="Address" remark="every page of the workspace begins with it">
            <div class="cs-stack">
                <p class="cs-settings__address"><code>{address}</code></p>
                {before}
                {sso}
                {form}
            </div>
        </Card>
    }
}

#[component]
fn Change(slug: String, now: String, forms: Forms) -> impl IntoView {
    let of_address = Signal::derive(move || {
        forms.address.value().get().and_then(Result::err).and_then(|error| error.of_field("address"))
    });
    view! {
        <p class="cs-quiet">"Whoever has the old address is led to the new one as long as they are a member. The old one stays this workspace's: nobody else gets it. Agents and API tokens do not use it."</p>
        <ActionForm action=forms.address>
            <input type="hidden" name="slug" value=slug/>
            <div class="cs-form">
                <Field name="address" label="Address of the workspace" value=now minlength=3 maxlength=45 autocomplete="off" help="Letters a to z, digits and hyphens" error=of_address/>
                <Button kind=Kind::Primary submit=true disabled=Signal::derive(move || forms.address.pending().get())>"Change the address"</Button>
            </div>
        </ActionForm>
    }
}
