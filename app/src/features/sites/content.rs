//! The page's content: a page of the machines with where they are. The list of the sites is in the settings.

use clarity_domain::view::sites::{MachineRow, SitesPage, SitesQuery};
use leptos::{form::ActionForm, prelude::*};

use super::api::PlaceMachine;
use crate::{
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        card::Card,
        choice::Choice,
        filter::{FilterInput, Filters},
        icon::Symbol,
        note::EmptyNote,
        number,
        table::{Column, Table, Turner},
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
pub fn SitesContent(slug: String, query: SitesQuery, page: SitesPage, forms: Forms) -> impl IntoView {
    let SitesPage { sites, machines, found, skipped, before, after, machines_total, without_site } = page;
    let lead = match without_site {
        0 => "Places with machines. Members can be limited to some of them".to_owned(),
        1 => "1 machine is at no site: members who are limited to sites do not see it".to_owned(),
        n => format!("{n} machines are at no site: members who are limited to sites do not see them"),
    };
    let refused = move || forms.place.value().get().and_then(Result::err).map(|error| view! { <Refused error/> });
    let settings = paths::settings(&slug);
    let mut choices = vec![(String::new(), "No site".to_owned())];
    choices.extend(sites.into_iter().map(|site| (site.id.to_string(), site.name)));
    let here = paths::sites_page(&slug, &query);
    let to = |place: SitesQuery| paths::sites_page(&slug, &SitesQuery { find: query.find.clone(), ..place });
    let back = before.map(|place| to(SitesQuery { before: Some(place), ..SitesQuery::default() }));
    let on = after.map(|place| to(SitesQuery { after: Some(place), ..SitesQuery::default() }));
    let all = paths::sites(&slug);
    let placed = if machines_total == 0 {
        view! { <EmptyNote symbol=Symbol::Machine title="No machines yet" message="Machines appear here by themselves when their data comes."/> }.into_any()
    } else if machines.is_empty() {
        let href = all.clone();
        view! {
            <EmptyNote symbol=Symbol::Search title="No machine fits" message="No machine has this in its name or key.">
                <LinkButton href kind=Kind::Primary>"Show all machines"</LinkButton>
            </EmptyNote>
        }
        .into_any()
    } else {
        let words = shown(skipped, machines.len(), found);
        let rows = machines
            .into_iter()
            .map(|machine| machine_row(&slug, &here, machine, choices.clone(), forms))
            .collect_view();
        let columns = ["Machine", "Site"].map(Column::new).to_vec();
        let labels = ["Previous", "Next"];
        view! {
            <div class="cs-table-scroll"><Table caption="Machines, those without a site first" columns>{rows}</Table></div>
            <Turner words newer=back older=on labels/>
        }
        .into_any()
    };
    let clear = query.find.is_some().then(|| all.clone());
    let filter = (machines_total > 0).then(|| {
        view! {
            <Filters action=all label="Find machines" clear>
                <FilterInput name="find" label="Machine" placeholder="Name or key" value=query.find/>
            </Filters>
        }
    });
    view! {
        <Page crumbs=vec![Crumb::here("Sites")]>
            <div class="cs-head"><div class="cs-head__text"><h1>"Sites"</h1><p>{lead}</p></div></div>
            <div class="cs-stack">
                {refused}
                <p class="cs-quiet">"The list of the sites is in the "<a class="cs-link" href=settings>"settings"</a>": they are added, renamed and removed there."</p>
                <Card title="Machines" remark="what a source says of a machine's site is believed, later too"><div class="cs-stack">{filter}{placed}</div></Card>
            </div>
        </Page>
    }
}

/// Of a page that begins after `skipped` machines.
fn shown(skipped: u32, rows: usize, found: u32) -> String {
    let first = skipped.saturating_add(1);
    let last = skipped.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
    match found {
        1 => "1 machine".to_owned(),
        _ => format!("{first}–{last} of {} machines", number::whole(found.into())),
    }
}

fn machine_row(slug: &str, here: &str, machine: MachineRow, choices: Vec<(String, String)>, forms: Forms) -> AnyView {
    let (slug, here, machine_id) = (slug.to_owned(), here.to_owned(), machine.id.to_string());
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
                    <input type="hidden" name="next" value=here/>
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

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_page_says_which_of_how_many() {
        assert_eq!(shown(0, 1, 1), "1 machine");
        assert_eq!(shown(50, 50, 240), "51–100 of 240 machines");
    }
}
