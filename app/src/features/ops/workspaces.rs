//! The workspaces there are: names and counts.

use clarity_domain::view::support::{OpsWorkspaceRow, OpsWorkspaces};
use leptos::prelude::*;

use super::OpsFrame;
use crate::{
    paths,
    ui::{
        button::LinkButton,
        card::Card,
        number,
        table::{Column, Table},
        time::{Detail, Time},
    },
};

#[component]
pub fn WorkspacesContent(page: OpsWorkspaces) -> impl IntoView {
    let OpsWorkspaces { person, workspaces } = page;
    let columns = vec![Column::new("Workspace"), Column::new("Made"), Column::end("Members"), Column::end("Agents")];
    let rows = workspaces.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <OpsFrame person=Some(person)>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"Workspaces"</h1><p>"Names and counts. What is in one, its owner lets you see for a time"</p></div>
                <LinkButton href=paths::OPS_EVENTS>"Our own people"</LinkButton>
            </div>
            <Card title="All">
                <div class="cs-table-scroll"><Table caption="Workspaces" columns>{rows}</Table></div>
            </Card>
        </OpsFrame>
    }
}

#[component]
fn Row(row: OpsWorkspaceRow) -> impl IntoView {
    let OpsWorkspaceRow { slug, name, region, created_at, members, agents } = row;
    let under = if region.is_empty() { slug.clone() } else { format!("{slug}, {region}") };
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap"><a class="cs-link" href=paths::ops_workspace(&slug)>{name}</a><small>{under}</small></th>
            <td data-label="Made"><Time at=Some(created_at) detail=Detail::Day/></td>
            <td data-label="Members" data-align="end">{number::whole(members.into())}</td>
            <td data-label="Agents" data-align="end">{number::whole(agents.into())}</td>
        </tr>
    }
}
