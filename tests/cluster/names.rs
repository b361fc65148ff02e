//! How long a set's name may be, on the real controller: which templates get pods under names of 52 characters and more.
//!
//! A template is drawn by a number in one of its annotations, so every run draws the same ones.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::api::Api;
use crate::support::{Cluster, Namespace, eventually};

/// What the rules `name-too-long` and `name-near-limit` say.
pub const TESTS: &[Test] = &[
    (
        "a_pod_is_created_where_its_revision_label_fits",
        a_pod_is_created_where_its_revision_label_fits,
    ),
    (
        "a_name_of_53_stops_at_another_template",
        a_name_of_53_stops_at_another_template,
    ),
];

/// On a busy machine the controller is slow.
const WITHIN: Duration = Duration::from_mins(2);

/// The longest value of a label.
const LABEL: usize = 63;

/// How many templates are drawn for names of that length.
const DRAWS: &[(usize, u32)] = &[(52, 6), (53, 80), (54, 120), (55, 40), (63, 6)];

/// How many hashes are computed without a set.
const COMPUTED: u32 = 20_000;

/// A set, and what came of it.
struct Seen {
    length: usize,
    draw: u32,
    /// The name of its only revision, which is its pods' label.
    revision: String,
    /// The template, as the revision is made of it.
    data: Value,
    has_pod: bool,
    /// Why it got none.
    refusal: Option<String>,
}

fn a_pod_is_created_where_its_revision_label_fits(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let mut api = Api::new(cluster)?;
    let mut draws = 0..;
    let mut sets = Vec::new();
    for (length, count) in DRAWS {
        sets.extend(
            draws
                .by_ref()
                .take(*count as usize)
                .map(|draw| (*length, draw)),
        );
    }
    let seen = created(&mut api, ns, &sets)?;
    let data = &seen.first().context("no set")?.data;
    for set in &seen {
        let expected = format!("{}-{}", named(set.length, set.draw), hash(data, set.draw));
        ensure!(
            set.revision == expected,
            "{} is not {expected}",
            set.revision
        );
        as_the_label_has_it(set)?;
    }
    print_table(&seen);
    let has_pod = |length: usize| {
        let of_length = seen.iter().filter(move |set| set.length == length);
        of_length.filter(|set| set.has_pod).count()
    };
    ensure!(
        has_pod(52) == 6 && has_pod(63) == 0,
        "with 52: {}, with 63: {}",
        has_pod(52),
        has_pod(63)
    );

    odds_are_as_the_rules_say(data)?;
    // one template in 43, one in 429: drawn until they fit
    let rare = [(54, draw_of(data, 8)?), (55, draw_of(data, 7)?)];
    for set in created(&mut api, ns, &rare)? {
        ensure!(
            set.has_pod,
            "{} has no pod: {:?}",
            set.revision,
            set.refusal
        );
    }
    Ok(())
}

/// The rule's own words: it may work today, and the next change of the template stops the rollout.
fn a_name_of_53_stops_at_another_template(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let mut api = Api::new(cluster)?;
    let probe = created(&mut api, ns, &[(52, 0)])?;
    let data = &probe.first().context("no set")?.data;
    let (fits, too_long) = (draw_of(data, 9)?, draw_of(data, 10)?);
    let name = named(53, fits);
    created(&mut api, ns, &[(53, fits)])?;
    ns.ready(&name)?;
    let newer = json!({"spec": {"template": {"metadata": {"annotations": {"draw": too_long.to_string()}}}}});
    ns.kubectl(&format!("patch sts {name} --type=merge -p"))?
        .arg(newer.to_string())
        .ok()?;
    let path = format!("/api/v1/namespaces/{}", ns.name());
    let refusal = eventually("a pod that is not created", WITHIN, || {
        let refusals = refusals(&mut api, &path)?;
        refusals.get(&name).cloned().context("no event yet")
    })?;
    ensure!(refusal.contains("must be no more than 63"), "{refusal}");
    let pods = names(&mut api, &format!("{path}/pods"))?;
    ensure!(
        !pods.contains_key(&format!("{name}-0")),
        "the old pod is still there: {pods:?}"
    );
    Ok(())
}

/// A pod exactly where its label fits, and else an event that says why there is none.
fn as_the_label_has_it(set: &Seen) -> Result<()> {
    let fits = set.revision.len() <= LABEL;
    ensure!(
        set.has_pod == fits,
        "{}: a pod is {}, refused is {:?}",
        set.revision,
        set.has_pod,
        set.refusal
    );
    if let Some(refusal) = &set.refusal {
        let label = format!(
            "metadata.labels: Invalid value: \"{}\": must be no more than 63",
            set.revision
        );
        ensure!(refusal.contains(&label), "{refusal}");
    }
    Ok(())
}

fn print_table(seen: &[Seen]) {
    println!("names: a set's name, templates drawn, templates that got a pod");
    for (length, count) in DRAWS {
        let pods = seen
            .iter()
            .filter(|set| set.length == *length && set.has_pod);
        println!("{length:>8} {count:>6} {:>6}", pods.count());
    }
    if let Some(refused) = seen.iter().find_map(|set| set.refusal.as_ref()) {
        println!("names: refused by {refused}");
    }
}

/// One template in four, in 43, in 429.
fn odds_are_as_the_rules_say(data: &Value) -> Result<()> {
    let digits: Vec<usize> = (0..COMPUTED).map(|draw| hash(data, draw).len()).collect();
    for (length, one_in) in [(53, 4.3), (54, 43.0), (55, 429.0)] {
        let fitting = digits
            .iter()
            .filter(|digits| length + 1 + **digits <= LABEL)
            .count();
        let fitting = u32::try_from(fitting)?;
        println!("names: {fitting} of {COMPUTED} templates fit a name of {length}");
        let odds = f64::from(COMPUTED) / f64::from(fitting);
        ensure!(
            (0.7..1.4).contains(&(odds / one_in)),
            "one in {odds} fits a name of {length}"
        );
    }
    Ok(())
}

/// Creates these sets, by length of the name and draw, and waits until each has a pod or was refused one.
fn created(api: &mut Api, ns: Namespace<'_>, sets: &[(usize, u32)]) -> Result<Vec<Seen>> {
    for (length, draw) in sets {
        let path = format!("/apis/apps/v1/namespaces/{}/statefulsets", ns.name());
        let answer = api.create(&path, &set(*length, *draw))?;
        ensure!(answer.code == 201, "{}", answer.body);
    }
    eventually("a pod or a refusal for each set", WITHIN, || {
        let core = format!("/api/v1/namespaces/{}", ns.name());
        let revisions = names(
            api,
            &format!("/apis/apps/v1/namespaces/{}/controllerrevisions", ns.name()),
        )?;
        let (pods, refusals) = (names(api, &format!("{core}/pods"))?, refusals(api, &core)?);
        let look = |(length, draw): &(usize, u32)| {
            let name = named(*length, *draw);
            let of_set =
                |revision: &&Value| revision["metadata"]["ownerReferences"][0]["name"] == *name;
            let revision = revisions.values().find(of_set).context("no revision yet")?;
            let (has_pod, refusal) = (
                pods.contains_key(&format!("{name}-0")),
                refusals.get(&name).cloned(),
            );
            ensure!(
                has_pod || refusal.is_some(),
                "{name} has neither a pod nor an event"
            );
            Ok(Seen {
                length: *length,
                draw: *draw,
                revision: revision["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                data: revision["data"].clone(),
                has_pod,
                refusal,
            })
        };
        sets.iter().map(look).collect()
    })
}

fn named(length: usize, draw: u32) -> String {
    format!("n{draw:0>width$}", width = length - 1)
}

fn set(length: usize, draw: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": named(length, draw)},
        "spec": {
            "serviceName": "names",
            "selector": {"matchLabels": {"app": "names"}},
            "template": {
                "metadata": {"labels": {"app": "names"}, "annotations": {"draw": draw.to_string()}},
                "spec": {"containers": [{"name": "web", "image": "registry.example/web:1"}]},
            },
        },
    })
}

/// The objects of a collection by name.
fn names(api: &mut Api, path: &str) -> Result<BTreeMap<String, Value>> {
    let mut answer = api.get(path)?;
    ensure!(answer.code == 200, "{}", answer.body);
    let items = answer.body["items"].as_array_mut().map(std::mem::take);
    let named = |item: Value| Some((item["metadata"]["name"].as_str()?.to_owned(), item));
    Ok(items
        .unwrap_or_default()
        .into_iter()
        .filter_map(named)
        .collect())
}

/// Why pods could not be created, by set.
fn refusals(api: &mut Api, core: &str) -> Result<BTreeMap<String, String>> {
    let events = names(api, &format!("{core}/events"))?;
    let failed = events
        .values()
        .filter(|event| event["reason"] == "FailedCreate");
    let told = failed.filter_map(|event| {
        let set = event["involvedObject"]["name"].as_str()?;
        Some((set.to_owned(), event["message"].as_str()?.to_owned()))
    });
    Ok(told.collect())
}

/// The hash of a template with another draw, as the controller computes it (`HashControllerRevision`): FNV-1 over the
/// revision's JSON and the number of collisions, as a decimal number, each digit by the letter that stands for it.
fn hash(data: &Value, draw: u32) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut data = data.clone();
    data["spec"]["template"]["metadata"]["annotations"]["draw"] = json!(draw.to_string());
    let text = data.to_string() + "0";
    let number = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        hash.wrapping_mul(0x0100_0193) ^ u32::from(byte)
    });
    let digits = number.to_string().into_bytes().into_iter();
    digits
        .map(|digit| char::from(LETTERS[usize::from(digit) % LETTERS.len()]))
        .collect()
}

/// A draw that was not made yet, with a hash of that many digits.
fn draw_of(data: &Value, digits: usize) -> Result<u32> {
    let mut draws = 1_000..100_000;
    let found = draws.find(|draw| hash(data, *draw).len() == digits);
    found.with_context(|| format!("no hash of {digits} digits"))
}
