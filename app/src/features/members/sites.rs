//! Which sites somebody sees: every one, or those that are ticked. Sent with the form around it.

use clarity_domain::{
    ids::SiteId,
    view::{members::MemberRow, sites::SiteCard},
};
use leptos::{form::ActionForm, prelude::*};

use super::{Forms, model};
use crate::ui::{button::Button, checks::CheckGroup};

/// The choice. Ticks count with "Only these" alone.
#[component]
pub fn SiteChoice(
    /// Of the group: another one for each on a page.
    #[prop(into)]
    id: String,
    #[prop(into)] legend: String,
    sites: Vec<SiteCard>,
    /// What is chosen at first; `None`: every site.
    limit: Option<Vec<SiteId>>,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let limited = limit.is_some();
    let ticked = limit.unwrap_or_default();
    let boxes = sites
        .into_iter()
        .map(|site| {
            let on = ticked.contains(&site.id);
            view! {
                <label class="cs-checks__one cs-members__site">
                    <input type="checkbox" name="sites[]" value=site.id.to_string() checked=on/>
                    <span>{site.name}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <CheckGroup id legend error>
            <label class="cs-checks__one">
                <input type="radio" name="only" value="every" checked=!limited/>
                <span>"Every site"</span>
            </label>
            <label class="cs-checks__one">
                <input type="radio" name="only" value="these" checked=limited/>
                <span>"Only these"</span>
            </label>
            {boxes}
        </CheckGroup>
    }
}

/// What a member sees, in words; where the viewer may change it, the words open the form.
pub fn seen(slug: &str, member: &MemberRow, sites: &[SiteCard], forms: Forms) -> AnyView {
    let words = model::sites_words(member.sites.as_deref(), sites);
    if !member.may.limit || sites.is_empty() {
        return view! { <small class="cs-quiet cs-members__sees">{words}</small> }.into_any();
    }
    let (slug, user, name) = (slug.to_owned(), member.id.to_string(), member.name.clone());
    let (id, label) = (format!("sites-{user}"), format!("Change which sites {name} sees"));
    let legend = format!("What {name} sees");
    let (sites, limit) = (sites.to_vec(), member.sites.clone());
    view! {
        <details class="cs-members__sees">
            <summary>{words}</summary>
            <ActionForm action=forms.limit>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="user" value=user/>
                <SiteChoice id legend sites limit/>
                <Button submit=true attr:aria-label=label disabled=Signal::derive(move || forms.limit.pending().get())>"Change"</Button>
            </ActionForm>
        </details>
    }
    .into_any()
}
