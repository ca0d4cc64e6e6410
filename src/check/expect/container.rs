use schemars::JsonSchema;
use serde::Deserialize;

use super::Matchers;
use super::closest::{Demands, Miss, closest};
use crate::check::judge::Scene;
use crate::check::{Fact, Matcher, Mismatch, Verdict};
use crate::facts::{Container, Level};

/// A container of the compose project: found by compose's label, for names differ between compose's versions.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DockerContainer {
    /// The compose service.
    pub service: String,
    /// The image.
    #[serde(default)]
    pub image: Option<Matcher>,
    /// The state; `running` unless said otherwise.
    #[serde(default = "running")]
    pub state: Matcher,
    /// The ports that it publishes, as `2000/udp`.
    #[serde(default)]
    pub ports: Vec<String>,
    /// Variables of its environment. Of a secret only the description is known.
    #[serde(default)]
    pub environment: Matchers,
}

fn running() -> Matcher {
    Matcher::equals("running")
}

impl DockerContainer {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let expected = self.describe(scene);
        let found = closest(&scene.evidence.containers, |container| self.hold(container, scene));
        let (container, demands) = match found {
            Some((container, demands)) if self.is_candidate(container) => (container, demands),
            _ => {
                let others = names(&scene.evidence.containers);
                return Verdict::Never(
                    Mismatch::new(expected, format!("no container of the compose service `{}`", self.service)).nearest(others),
                );
            }
        };
        if demands.misses.is_empty() {
            let mut facts = vec![
                Fact::new("container", format!("{} ({})", container.name, container.id)),
                Fact::new("image", &container.image),
            ];
            if !self.ports.is_empty() {
                facts.push(Fact::new("published", self.ports.join(", ")));
            }
            return Verdict::Met(facts, Level::Exact);
        }
        let last = container.last_lines.last().map(|line| format!("its last line: `{line}`"));
        let nearest = last.or_else(|| Some(format!("`{}`: {}", container.name, container.status)));
        Verdict::Never(
            Mismatch::new(expected, format!("container `{}`: {}", container.name, demands.describe())).nearest(nearest),
        )
    }

    fn is_candidate(&self, container: &Container) -> bool {
        container.service.as_deref() == Some(&self.service)
    }

    fn hold<'p>(&self, container: &Container, scene: &'p Scene<'_>) -> Demands<'p> {
        let mut demands = Demands::new(&scene.placeholders);
        demands.demand(self.is_candidate(container), || Miss {
            what: String::from("its compose service"),
            expected: format!("`{}`", self.service),
            actual: container.service.as_deref().map_or_else(|| String::from("is missing"), |service| format!("is `{service}`")),
        });
        if let (Some(workspace), Some(folder)) = (&scene.evidence.workspace, &container.folder) {
            demands.demand(workspace == folder, || Miss {
                what: String::from("its compose project"),
                expected: format!("`{workspace}`"),
                actual: format!("is that of `{folder}`"),
            });
        }
        demands.text("its image", self.image.as_ref(), Some(&container.image));
        demands.text("its state", Some(&self.state), Some(&container.state));
        for wanted in &self.ports {
            let published = container
                .ports
                .iter()
                .any(|port| port.public.is_some() && format!("{}/{}", port.private, port.protocol) == *wanted);
            demands.demand(published, || Miss {
                what: format!("port {wanted}"),
                expected: String::from("published on the host"),
                actual: String::from("is not published"),
            });
        }
        for (name, matcher) in &self.environment {
            let value = container.environment.get(name).map(String::as_str);
            demands.text(&format!("its variable `{name}`"), Some(matcher), value);
        }
        demands
    }

    fn describe(&self, scene: &Scene<'_>) -> String {
        let mut text =
            format!("a container of the compose service `{}`, {}", self.service, self.state.describe(&scene.placeholders));
        if let Some(image) = &self.image {
            text.push_str(&format!(", its image {}", image.describe(&scene.placeholders)));
        }
        if !self.ports.is_empty() {
            text.push_str(&format!(", publishing {}", self.ports.join(", ")));
        }
        text
    }
}

fn names(containers: &[Container]) -> Option<String> {
    if containers.is_empty() {
        return Some(String::from("the engine has no container at all"));
    }
    let names: Vec<_> =
        containers.iter().take(5).map(|container| format!("`{}` ({})", container.name, container.state)).collect();
    Some(format!("the engine's containers: {}", names.join(", ")))
}
