//! Rows larger than an event may be: each becomes a stub at its own sequence, with key, size and hash; its neighbours
//! land whole, and nothing stops.

use anyhow::Result;

use super::super::{Context, bed::Bed, outcome::Outcome};

/// 3 MB of text that does not compress away, the limit being 1 MiB.
const LARGE: &str = "(select string_agg(md5(i::text || random()), '') from generate_series(1, 98304) i)";

pub fn run(context: &Context, name: &str) -> Result<Outcome> {
    let mut bed = Bed::start(context, name, |stack| {
        // Two are in the snapshot, one of them large.
        let sql = format!(
            "create table documents (id int primary key, title text, content text);
             insert into documents values (1, 'small', 'text'), (2, 'large', {LARGE})"
        );
        stack.customer()?.sql(stack.customer_database()?, &sql).map(drop)
    })?;
    bed.write()?;
    let statements = [
        format!("insert into documents values (3, 'before', 'text'), (4, 'large', {LARGE}), (5, 'after', 'text')"),
        // The large value is not touched, so the change is small and does not carry it.
        "update documents set title = 'renamed' where id in (2, 4)".to_owned(),
        format!("insert into documents values (6, 'short-lived', {LARGE})"),
        "delete from documents where id = 6".to_owned(),
        // Too large no more.
        format!("insert into documents values (7, 'cut', {LARGE})"),
        "update documents set content = left(content, 100) where id = 7".to_owned(),
    ];
    for statement in &statements {
        bed.stack.customer()?.sql(bed.stack.customer_database()?, statement)?;
    }
    let checked = bed.check()?;
    let verified = bed.verify();
    let withheld = checked.withheld("public.documents");
    let outcome = Outcome::of(name, 4, 4, checked).verify(verified);
    let outcome = outcome
        .note("2 of 6 rows are known by key, size and hash alone; their later changes are there")
        .expect(withheld == 2, &format!("{withheld} rows are withheld where 2 should be"));
    bed.remove()?;
    Ok(outcome)
}
