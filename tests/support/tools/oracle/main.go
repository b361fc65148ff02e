// Command oracle answers as the API server would for StatefulSets, without a server: it links the decoder, the defaults
// and the registry's strategy of the Kubernetes release that its module pins. It reads {"new", "old"}, one a line (old is
// null for a create), and prints, in the same order, {"accepted", "causes": [{"field", "type", "message"}]}, one a line.
// What cannot be decoded has one cause without a field, of type "Undecodable".
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/capabilities"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
)

type question struct {
	New json.RawMessage `json:"new"`
	Old json.RawMessage `json:"old"`
}

type cause struct {
	Field   string `json:"field"`
	Type    string `json:"type"`
	Message string `json:"message"`
}

type answer struct {
	Accepted bool    `json:"accepted"`
	Causes   []cause `json:"causes"`
}

var decoder = legacyscheme.Codecs.UniversalDecoder(apps.SchemeGroupVersion)

func main() {
	utilruntime.ReallyCrash = true
	capabilities.Setup(true, 0) // as `kube-apiserver --allow-privileged`, which every installer sets
	waiting := make(chan chan answer, 64*runtime.NumCPU())
	written := make(chan error)
	go func() { written <- write(waiting) }()
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			answered := make(chan answer, 1)
			waiting <- answered
			go func() { answered <- judge(line) }()
		}
		if err != nil {
			break
		}
	}
	close(waiting)
	if err := <-written; err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(waiting <-chan chan answer) error {
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	lines := json.NewEncoder(out)
	for answered := range waiting {
		if err := lines.Encode(<-answered); err != nil {
			return err
		}
		if len(waiting) == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

func judge(line []byte) answer {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return refusal(err)
	}
	set, err := decode(asked.New)
	if err != nil {
		return refusal(err)
	}
	ctx := genericapirequest.WithNamespace(context.Background(), set.Namespace)
	if len(asked.Old) == 0 || string(asked.Old) == "null" {
		rest.FillObjectMetaSystemFields(set)
		return verdict(rest.BeforeCreate(statefulset.Strategy, ctx, set))
	}
	old, err := decode(asked.Old)
	if err != nil {
		return refusal(err)
	}
	return verdict(rest.BeforeUpdate(statefulset.Strategy, ctx, set, old))
}

func decode(text []byte) (*apps.StatefulSet, error) {
	object, _, err := decoder.Decode(text, nil, nil)
	if err != nil {
		return nil, err
	}
	set, ok := object.(*apps.StatefulSet)
	if !ok {
		return nil, fmt.Errorf("%T is no StatefulSet", object)
	}
	if set.Namespace == "" {
		set.Namespace = metav1.NamespaceDefault
	}
	return set, nil
}

func verdict(err error) answer {
	var status *apierrors.StatusError
	switch {
	case err == nil:
		return answer{Accepted: true, Causes: []cause{}}
	case !errors.As(err, &status) || status.ErrStatus.Details == nil || len(status.ErrStatus.Details.Causes) == 0:
		return refusal(err)
	}
	found := answer{Causes: []cause{}}
	for _, each := range status.ErrStatus.Details.Causes {
		found.Causes = append(found.Causes, cause{each.Field, string(each.Type), each.Message})
	}
	return found
}

func refusal(err error) answer {
	return answer{Causes: []cause{{Type: "Undecodable", Message: err.Error()}}}
}
