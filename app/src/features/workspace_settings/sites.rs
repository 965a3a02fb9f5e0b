//! The sites: a form each, and one for another.

use clarity_domain::view::workspace_settings::SiteRow;
use leptos::{form::ActionForm, prelude::*};

use super::Forms;
use crate::{
    paths,
    ui::{
        button::{Button, Kind},
        card::Card,
        confirm::Confirm,
        field::Field,
        listed::Listed,
        number,
    },
};

#[component]
pub fn SitesCard(slug: String, sites: Vec<SiteRow>, zones: Vec<String>, forms: Forms) -> impl IntoView {
    let error = Signal::derive(move || forms.add.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    let zone = sites.first().map(|site| site.time_zone.clone()).unwrap_or_default();
    let rows = sites.into_iter().map(|site| view! { <Row slug=slug.clone() site forms/> }).collect_view();
    let machines = paths::sites(&slug);
    view! {
        <Card title="Sites" remark="places with machines">
            <div class="cs-stack">
                <p class="cs-quiet">"Sites appear as data names them, or are added here. Machines whose data names none go by the first one's clock. "<a class="cs-link" href=machines>"Sites and the machines at them"</a></p>
                <ul class="cs-settings__sites">{rows}</ul>
                <h3>"Another site"</h3>
                <ActionForm action=forms.add>
                    <input type="hidden" name="slug" value=slug/>
                    <div class="cs-form">
                        <Listed name="site" label="Name of the new site" value="" required=true help="As its data names it, or as your people call it" error=of("site")/>
                        <Listed name="site_zone" label="Time zone of the new site" value=zone choices=zones required=true maxlength=64 help="The days of its machines begin at midnight there" error=of("site_zone")/>
                        <Button submit=true disabled=Signal::derive(move || forms.add.pending().get())>"Add the site"</Button>
                    </div>
                </ActionForm>
            </div>
        </Card>
    }
}

#[component]
fn Row(slug: String, site: SiteRow, forms: Forms) -> impl IntoView {
    let SiteRow { id, name, time_zone, machines, first, name_fixed, zone_fixed, may_remove } = site;
    let words = format!("{} machine{}", number::whole(machines), if machines == 1 { "" } else { "s" });
    let words = if first { format!("{words}, and the clock of those at no site") } else { words };
    let label = format!("Save {name}");
    let why = match (name_fixed, zone_fixed) {
        (true, true) => "Its name comes from your data, and its days are cut already: both stay.",
        (true, false) => "Its name comes from your data, and stays.",
        (false, true) => "Its days are cut already: the time zone stays.",
        (false, false) => "",
    };
    let of_name = (!name_fixed).then(|| {
        let value = name.clone();
        view! { <Field name="name" id=format!("site-name-{id}") label=format!("Name of {name}") value maxlength=120 autocomplete="off"/> }
    });
    let kept_name = name_fixed.then(|| view! { <input type="hidden" name="name" value=name.clone()/> });
    let of_zone = (!zone_fixed).then(|| {
        let value = time_zone.clone();
        view! { <Field name="time_zone" id=format!("site-zone-{id}") label=format!("Time zone of {name}") value maxlength=64 autocomplete="off" help="Such as Europe/Stockholm"/> }
    });
    let kept_zone = zone_fixed.then(|| view! { <input type="hidden" name="time_zone" value=time_zone.clone()/> });
    let remove = may_remove.then(|| view! { <Remove slug=slug.clone() id=id.to_string() name=name.clone() forms/> });
    // Where both stay there is nothing to send.
    let form = (!(name_fixed && zone_fixed)).then(|| {
        view! {
            <ActionForm action=forms.set>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=id.to_string()/>
                {kept_name}
                {kept_zone}
                <div class="cs-settings__fields">
                    {of_name}
                    {of_zone}
                    <Button submit=true attr:aria-label=label disabled=Signal::derive(move || forms.set.pending().get())>"Save"</Button>
                </div>
            </ActionForm>
        }
    });
    view! {
        <li class="cs-settings__site">
            <p><b>{name}</b> <small>{words} ", " {time_zone}</small></p>
            {(!why.is_empty()).then(|| view! { <p class="cs-quiet">{why}</p> })}
            {form}
            {remove}
        </li>
    }
}

#[component]
fn Remove(slug: String, id: String, name: String, forms: Forms) -> impl IntoView {
    let site = id.clone();
    view! {
        <Confirm
            id=format!("remove-site-{id}")
            act="Remove"
            label=format!("Remove {name}")
            question=format!("Remove {name}?")
            message="No machine is there. It comes again if data names it."
            kind=Kind::Quiet
        >
            <ActionForm action=forms.remove>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=site/>
                <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.remove.pending().get())>"Remove site"</Button>
            </ActionForm>
        </Confirm>
    }
}
