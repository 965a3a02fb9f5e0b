//! What a browser loads before Overview runs, as the server sends it: the compressed files of the release build.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};

use super::{
    Context,
    figures::{Figures, number},
};
use crate::paths::Mode;

pub fn measure(context: &Context, figures: &mut Figures) -> Result<()> {
    let site = context.paths.site(Mode::Release);
    let assets: BTreeMap<String, String> = serde_json::from_str(&fs::read_to_string(site.join("assets.json"))?)?;
    let kb = |logical: &str, ending: &str| -> Result<f64> {
        let path = assets.get(logical).with_context(|| format!("the build has no {logical}"))?;
        let file = site.join(format!("{}{ending}", path.trim_start_matches('/')));
        Ok(fs::metadata(&file).with_context(|| file.display().to_string())?.len() as f64 / 1000.0)
    };
    figures.add("wasm_brotli_kb", kb("clarity.wasm", ".br")?);
    let (glue, charts) = (kb("clarity.js", ".br")?, kb("charts.js", ".br")?);
    figures.add("js_brotli_kb", glue + charts);
    // A browser takes the fonts it needs by their unicode-range; for English that is the Latin file of each family.
    let fonts = |wanted: &str| -> Result<f64> {
        assets.keys().filter(|name| name.starts_with("fonts/") && name.contains(wanted)).map(|name| kb(name, "")).sum()
    };
    figures.note(format!(
        "first load: JavaScript is {} kB glue and {} kB charts; style sheet {} kB brotli; fonts apart: {} kB Latin of {} kB",
        number(glue),
        number(charts),
        number(kb("clarity.css", ".br")?),
        number(fonts("-latin-wght")?),
        number(fonts("")?),
    ));
    Ok(())
}
