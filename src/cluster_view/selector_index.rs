//! Which of many objects may select a pod, without trying each: of 10,000 Services of a namespace one or two do.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use crate::statefulset::set::Labels;

/// A key and its value.
type Pair<'s> = (&'s str, &'s str);

/// The objects of a namespace.
#[derive(Clone, Debug)]
pub(super) struct Named<T> {
    by_name: BTreeMap<String, Arc<T>>,
    /// Made when the first set asks, after the last object was put there.
    by_selector: OnceLock<(Vec<Arc<T>>, SelectorIndex)>,
}

/// Selectors by their position in the list that they were given in, each under the pair that the fewest of them ask for.
#[derive(Clone, Debug, Default)]
struct SelectorIndex {
    by_label: HashMap<String, HashMap<String, Vec<usize>>>,
    /// Those that ask for no pair: they may select any pod.
    others: Vec<usize>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self {
            by_name: BTreeMap::new(),
            by_selector: OnceLock::new(),
        }
    }
}

impl<T> Named<T> {
    /// Puts an object in, in place of one of the same name.
    pub(super) fn put(&mut self, name: String, object: Arc<T>) {
        self.by_name.insert(name, object);
        self.by_selector.take();
    }

    /// One object.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<T>> {
        self.by_name.get(name)
    }

    /// All objects, by name.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<T>> {
        self.by_name.values()
    }

    /// Those that may select a pod with these labels, by name. `pairs` gives the labels that an object asks for.
    pub(super) fn candidates(
        &self,
        labels: &Labels<'_>,
        pairs: impl Fn(&T) -> Vec<(&str, &str)>,
    ) -> Vec<Arc<T>> {
        let (objects, index) = self.by_selector.get_or_init(|| {
            let objects: Vec<_> = self.by_name.values().cloned().collect();
            let selectors: Vec<_> = objects.iter().map(|object| pairs(object)).collect();
            let index = SelectorIndex::new(&selectors);
            (objects, index)
        });
        let found = index.candidates(labels).into_iter();
        found
            .filter_map(|position| objects.get(position).cloned())
            .collect()
    }
}

impl SelectorIndex {
    /// An index of selectors, each given as the pairs that a pod must have.
    fn new(selectors: &[Vec<Pair<'_>>]) -> Self {
        let mut uses: HashMap<Pair<'_>, usize> = HashMap::new();
        for pair in selectors.iter().flatten() {
            *uses.entry(*pair).or_default() += 1;
        }
        let mut index = Self::default();
        for (position, pairs) in selectors.iter().enumerate() {
            let rarest = pairs.iter().min_by_key(|pair| uses.get(*pair));
            index.bucket(rarest).push(position);
        }
        index
    }

    fn bucket(&mut self, pair: Option<&Pair<'_>>) -> &mut Vec<usize> {
        let Some((key, value)) = pair else {
            return &mut self.others;
        };
        let values = self.by_label.entry((*key).to_owned()).or_default();
        values.entry((*value).to_owned()).or_default()
    }

    /// The positions of those that may select a pod with these labels, in order: all that do, and some that do not.
    fn candidates(&self, labels: &Labels<'_>) -> Vec<usize> {
        let by_label = labels
            .iter()
            .filter_map(|(key, value)| self.by_label.get(&**key)?.get(&**value));
        let mut found: Vec<usize> = by_label.flatten().chain(&self.others).copied().collect();
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::statefulset::view::Text;

    fn labels<'l>(pairs: &[Pair<'l>]) -> Labels<'l> {
        let texts = pairs
            .iter()
            .map(|(key, value)| (Text::from(*key), Text::from(*value)));
        texts.collect()
    }

    #[test]
    fn a_pair_that_all_ask_for_is_not_what_they_are_found_by() {
        let names: Vec<String> = (0..1000).map(|number| format!("db-{number}")).collect();
        let selectors: Vec<_> = names
            .iter()
            .map(|name| vec![("app", "database"), ("instance", &**name)])
            .collect();
        let index = SelectorIndex::new(&selectors);
        let pod = labels(&[("app", "database"), ("instance", "db-7"), ("tier", "data")]);
        assert_eq!(index.candidates(&pod), [7]);
    }

    fn pairs() -> impl Strategy<Value = Vec<Pair<'static>>> {
        let pair = (
            prop::sample::select(vec!["app", "tier", "zone"]),
            prop::sample::select(vec!["a", "b"]),
        );
        prop::collection::btree_map(pair.0, pair.1, 0..4)
            .prop_map(|pairs| pairs.into_iter().collect())
    }

    proptest! {
        #[test]
        fn none_that_selects_a_pod_is_missed(
            selectors in prop::collection::vec(pairs(), 0..12),
            pod in pairs(),
        ) {
            let index = SelectorIndex::new(&selectors);
            let candidates = index.candidates(&labels(&pod));
            prop_assert!(candidates.is_sorted());
            for (position, asked) in selectors.iter().enumerate() {
                if asked.iter().all(|pair| pod.contains(pair)) {
                    prop_assert!(candidates.contains(&position), "{asked:?} of {pod:?}");
                }
            }
        }
    }
}
