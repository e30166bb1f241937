package awsfake

import "net/http"

// layerRoutes are the paths of layers.
func layerRoutes(handle router) {
	const layers = "/2018-10-31/layers"
	handle("GET "+layers, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		q := r.URL.Query()
		if q.Get("find") == "LayerVersion" {
			arn := q.Get("Arn")
			return s.getLayerVersion("GetLayerVersionByArn", arn, 0, object{{name: "Arn", value: arn}})
		}
		return s.listLayers(q.Get("Marker"), number(q.Get("MaxItems")))
	})
	handle("GET "+layers+"/{name}/versions", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.listLayerVersions(r.PathValue("name"), r.URL.Query().Get("Marker"), number(r.URL.Query().Get("MaxItems")))
	})
	handle("POST "+layers+"/{name}/versions", http.StatusCreated, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[PublishLayerVersionInput](body)
		in.LayerName = r.PathValue("name")
		if err != nil {
			return nil, err
		}
		return s.publish(in)
	})
	const version = layers + "/{name}/versions/{version}"
	handle("GET "+version, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		name, n := r.PathValue("name"), number(r.PathValue("version"))
		return s.getLayerVersion("GetLayerVersion", name, n, object{{name: "LayerName", value: name}, {name: "VersionNumber", value: n}})
	})
	handle("DELETE "+version, http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.DeleteLayerVersion(r.PathValue("name"), number(r.PathValue("version")))
	})
	handle("GET "+version+"/policy", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getPolicy(r.PathValue("name"), number(r.PathValue("version")))
	})
	handle("POST "+version+"/policy", http.StatusCreated, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[AddLayerVersionPermissionInput](body)
		if err != nil {
			return nil, err
		}
		in.LayerName, in.VersionNumber, in.RevisionID = r.PathValue("name"), number(r.PathValue("version")), r.URL.Query().Get("RevisionId")
		return s.addPermission(in)
	})
	handle("DELETE "+version+"/policy/{sid}", http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.RemoveLayerVersionPermission(r.PathValue("name"), number(r.PathValue("version")), r.PathValue("sid"), r.URL.Query().Get("RevisionId"))
	})
}
