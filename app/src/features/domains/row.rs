//! A domain: whether it counts, the record to put into DNS, what the last check found, and what can be done.

use clarity_domain::view::{Micros, domains::WorkspaceDomain};
use leptos::{form::ActionForm, prelude::*};

use super::{Forms, model};
use crate::ui::{
    button::{Button, Kind},
    confirm::Confirm,
    copy::CopyCode,
    pill::Pill,
    time::Ago,
};

#[component]
pub fn Row(slug: String, domain: WorkspaceDomain, base: Micros, forms: Forms) -> impl IntoView {
    let (tone, word) = model::state(&domain);
    let said = model::said(&domain);
    let name = domain.domain.clone();
    let checked = domain.last_checked_at.map(|at| view! { <small>"checked " <Ago at=Some(at) base/></small> });
    let acts = acts(slug, &domain, forms);
    let record = if domain.verified_at.is_some() {
        view! { <p class="cs-quiet">"Leave the record in DNS: a check that does not find it takes the domain back."</p> }.into_any()
    } else {
        view! {
            <p>"Add a TXT record with this name and this value where the domain's DNS is kept, then check."</p>
            <dl class="cs-domains__record">
                <dt>"Name"</dt>
                <dd><CopyCode code=domain.record_name what=format!("the record's name of {name}")/></dd>
                <dt>"Value"</dt>
                <dd><CopyCode code=domain.record_value what=format!("the record's value of {name}")/></dd>
            </dl>
        }
        .into_any()
    };
    view! {
        <li class="cs-domains__one">
            <div class="cs-domains__head">
                <div class="cs-domains__name"><h3>{domain.domain}</h3><Pill tone text=word/> {checked}</div>
                {acts}
            </div>
            {said.map(|text| view! { <p class="cs-domains__said" role="status">{text}</p> })}
            {record}
        </li>
    }
}

/// Looking again, and taking it out.
fn acts(slug: String, domain: &WorkspaceDomain, forms: Forms) -> AnyView {
    let (id, name) = (domain.id.to_string(), domain.domain.clone());
    let (own_id, own_slug) = (id.clone(), slug.clone());
    let check_label = format!("Check now: {name}");
    let check = view! {
        <ActionForm action=forms.check>
            <input type="hidden" name="slug" value=own_slug/>
            <input type="hidden" name="id" value=own_id/>
            <Button submit=true attr:aria-label=check_label disabled=Signal::derive(move || forms.check.pending().get())>
                {move || if forms.check.pending().get() { "Checking" } else { "Check now" }}
            </Button>
        </ActionForm>
    };
    let remove = view! {
        <Confirm
            id=format!("remove-domain-{id}")
            act="Remove"
            label=format!("Remove {name}")
            question=format!("Remove {name}?")
            message="Nobody new comes in by this domain any more. Who is a member stays one."
            kind=Kind::Quiet
        >
            <ActionForm action=forms.remove>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=id/>
                <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.remove.pending().get())>"Remove domain"</Button>
            </ActionForm>
        </Confirm>
    };
    view! { <div class="cs-row">{check} {remove}</div> }.into_any()
}
