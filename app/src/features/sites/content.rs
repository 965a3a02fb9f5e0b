//! The page's content: the machines with where they are. The list of the sites is in the settings.

use clarity_domain::view::sites::{MachineRow, SitesPage};
use leptos::{form::ActionForm, prelude::*};

use super::api::PlaceMachine;
use crate::{
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    paths,
    ui::{
        button::Button,
        card::Card,
        choice::Choice,
        icon::Symbol,
        note::EmptyNote,
        table::{Column, Table},
    },
};

/// The forms of the page: it reads again when one of them was sent.
#[derive(Clone, Copy)]
pub struct Forms {
    pub place: ServerAction<PlaceMachine>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { place: ServerAction::new() }
    }

    /// Changes when the page has to be read again.
    pub fn sent(self) -> Memo<usize> {
        Memo::new(move |_| self.place.version().try_get().unwrap_or_default())
    }
}

#[component]
pub fn SitesContent(slug: String, page: SitesPage, forms: Forms) -> impl IntoView {
    let SitesPage { sites, machines, machines_total, without_site } = page;
    let lead = match without_site {
        0 => "Places with machines. Members can be limited to some of them".to_owned(),
        1 => "1 machine is at no site: members who are limited to sites do not see it".to_owned(),
        n => format!("{n} machines are at no site: members who are limited to sites do not see them"),
    };
    let refused = move || forms.place.value().get().and_then(Result::err).map(|error| view! { <Refused error/> });
    let hidden = (machines_total as usize).saturating_sub(machines.len());
    let settings = paths::settings(&slug);
    let mut choices = vec![(String::new(), "No site".to_owned())];
    choices.extend(sites.into_iter().map(|site| (site.id.to_string(), site.name)));
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
                <p class="cs-quiet">"The list of the sites is in the "<a class="cs-link" href=settings>"settings"</a>": they are added, renamed and removed there."</p>
                <Card title="Machines" remark="what a source says of a machine's site is believed, later too">{placed}</Card>
            </div>
        </Page>
    }
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
