//! The page's content: the sites, a form for another one, and the machines with where they are.

use clarity_domain::view::sites::{MachineRow, SiteRow, SitesPage};
use leptos::{form::ActionForm, prelude::*};

use super::api::{AddSite, PlaceMachine};
use crate::{
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    ui::{
        button::{Button, Kind},
        card::Card,
        choice::Choice,
        icon::Symbol,
        listed::Listed,
        note::{Banner, EmptyNote},
        number,
        pill::Tone,
        table::{Column, Table},
    },
};

/// The forms of the page. It reads again when one of them was sent; a site that was refused stays as it was typed.
#[derive(Clone, Copy)]
pub struct Forms {
    pub add: ServerAction<AddSite>,
    pub place: ServerAction<PlaceMachine>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { add: ServerAction::new(), place: ServerAction::new() }
    }

    /// Changes when the page has to be read again.
    pub fn sent(self) -> Memo<[usize; 2]> {
        let added = Memo::new(move |before: Option<&usize>| {
            let done = self.add.value().with(|value| matches!(value, Some(Ok(()))));
            before.copied().unwrap_or_default() + usize::from(done)
        });
        Memo::new(move |_| [added.get(), self.place.version().get()])
    }
}

#[component]
pub fn SitesContent(slug: String, page: SitesPage, forms: Forms) -> impl IntoView {
    let SitesPage { sites, machines, machines_total, without_site, zones, zone, .. } = page;
    let lead = match without_site {
        0 => "Places with machines. Members can be limited to some of them".to_owned(),
        1 => "1 machine is at no site: members who are limited to sites do not see it".to_owned(),
        n => format!("{n} machines are at no site: members who are limited to sites do not see them"),
    };
    let refused = move || forms.place.value().get().and_then(Result::err).map(|error| view! { <Refused error/> });
    let hidden = (machines_total as usize).saturating_sub(machines.len());
    let form = view! { <AddForm slug=slug.clone() zones zone forms/> };
    let mut choices = vec![(String::new(), "No site".to_owned())];
    choices.extend(sites.iter().map(|site| (site.id.to_string(), site.name.clone())));
    let rows = sites.into_iter().map(site_row).collect_view();
    let columns = vec![Column::new("Site"), Column::new("Time zone"), Column::end("Machines")];
    let placed = if machines.is_empty() {
        view! { <EmptyNote symbol=Symbol::Machine title="No machines yet" message="Machines appear here by themselves when their data comes."/> }.into_any()
    } else {
        let rows =
            machines.into_iter().map(|machine| machine_row(&slug, machine, choices.clone(), forms)).collect_view();
        let columns = ["Machine", "Site"].map(Column::new).to_vec();
        view! {
            <div class="cs-table-scroll"><Table caption="Machines, those without a site first" columns>{rows}</Table></div>
            {(hidden > 0).then(|| view! { <p class="cs-quiet">{format!("{hidden} more are not shown.")}</p> })}
        }
        .into_any()
    };
    view! {
        <Page crumbs=vec![Crumb::here("Sites")]>
            <div class="cs-head"><div class="cs-head__text"><h1>"Sites"</h1><p>{lead}</p></div></div>
            <div class="cs-stack">
                {refused}
                <Card title="Sites">
                    <div class="cs-table-scroll"><Table caption="Sites" columns>{rows}</Table></div>
                </Card>
                <Card title="Add a site">{form}</Card>
                <Card title="Machines" remark="what a source says of a machine's site is believed, later too">{placed}</Card>
            </div>
        </Page>
    }
}

#[component]
fn AddForm(slug: String, zones: Vec<String>, zone: String, forms: Forms) -> impl IntoView {
    let error = Signal::derive(move || forms.add.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        {move || error.get().and_then(|error| error.beside_fields(&["name", "time_zone"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
        <ActionForm action=forms.add>
            <input type="hidden" name="slug" value=slug/>
            <div class="cs-form">
                <Listed name="name" label="Name of the site" value="" required=true help="As your people call it" error=of("name")/>
                <Listed name="time_zone" label="Time zone of the site" value=zone choices=zones required=true maxlength=64 help="The days of its machines begin at midnight there" error=of("time_zone")/>
                <Button kind=Kind::Primary submit=true disabled=Signal::derive(move || forms.add.pending().get())>"Add site"</Button>
            </div>
        </ActionForm>
    }
}

fn site_row(site: SiteRow) -> AnyView {
    let machines = number::whole(site.machines.into());
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap">{site.name}</th>
            <td data-label="Time zone">{site.time_zone}</td>
            <td data-label="Machines" data-align="end">{machines}</td>
        </tr>
    }
    .into_any()
}

fn machine_row(slug: &str, machine: MachineRow, choices: Vec<(String, String)>, forms: Forms) -> AnyView {
    let (slug, machine_id) = (slug.to_owned(), machine.id.to_string());
    let (id, label) = (format!("site-{machine_id}"), format!("Site of {}", machine.name));
    let button = format!("Move {}", machine.name);
    let value = machine.site.map(|site| site.to_string()).unwrap_or_default();
    let key = (machine.key != machine.name).then(|| view! { <small>{machine.key}</small> });
    let pending = Signal::derive(move || forms.place.pending().get());
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap">{machine.name} {key}</th>
            <td data-label="Site">
                <ActionForm action=forms.place>
                    <input type="hidden" name="slug" value=slug/>
                    <input type="hidden" name="machine" value=machine_id/>
                    <div class="cs-row">
                        <Choice id name="site" label choices value low=true/>
                        <Button submit=true attr:aria-label=button disabled=pending>"Move"</Button>
                    </div>
                </ActionForm>
            </td>
        </tr>
    }
    .into_any()
}
