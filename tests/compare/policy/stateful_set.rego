# What steadyset finds in a file alone, as far as it can be said in a few lines of Rego.
package main

import rego.v1

is_set if {
	input.kind == "StatefulSet"
	input.apiVersion == "apps/v1"
}

deny contains msg if {
	is_set
	policy := input.spec.podManagementPolicy
	not policy in {"OrderedReady", "Parallel"}
	msg := sprintf("%s: podManagementPolicy %s", [input.metadata.name, policy])
}

deny contains msg if {
	is_set
	strategy := input.spec.updateStrategy.type
	not strategy in {"RollingUpdate", "OnDelete"}
	msg := sprintf("%s: updateStrategy.type %s", [input.metadata.name, strategy])
}

deny contains msg if {
	is_set
	input.spec.updateStrategy.rollingUpdate.partition >= input.spec.replicas
	msg := sprintf("%s: partition exceeds replicas", [input.metadata.name])
}

deny contains msg if {
	is_set
	not input.spec.serviceName
	msg := sprintf("%s: no serviceName", [input.metadata.name])
}

deny contains msg if {
	is_set
	some key, value in input.spec.selector.matchLabels
	input.spec.template.metadata.labels[key] != value
	msg := sprintf("%s: the selector does not select the template", [input.metadata.name])
}

volumes contains volume.name if some volume in input.spec.template.spec.volumes

volumes contains claim.metadata.name if some claim in input.spec.volumeClaimTemplates

deny contains msg if {
	is_set
	some container in input.spec.template.spec.containers
	some mount in container.volumeMounts
	not mount.name in volumes
	msg := sprintf("%s: no volume %s", [input.metadata.name, mount.name])
}

warn contains msg if {
	is_set
	some container in input.spec.template.spec.containers
	not container.readinessProbe
	msg := sprintf("%s: %s has no readinessProbe", [input.metadata.name, container.name])
}
