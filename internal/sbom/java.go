package sbom

import (
	"errors"
	"path"
	"strings"
)

// jar is the archive that the file is in: "java/lib/x.jar" for
// "java/lib/x.jar!/META-INF/MANIFEST.MF", "" for a file that is in none.
func jar(name string) string {
	i := strings.LastIndex(name, "!/")
	if i < 0 {
		return ""
	}
	return name[:i]
}

// javaPom reads what Maven writes into a jar of every artifact in it: a shaded
// jar has several
// (https://maven.apache.org/shared/maven-archiver/index.html).
func javaPom(f *file) error {
	b, err := f.text(maxHeader)
	if err != nil {
		return err
	}
	values := map[string]string{}
	for line := range lines(b) {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") && len(values) < 64 {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	if values["artifactId"] == "" || values["version"] == "" {
		return errors.New("no artifactId and version in it")
	}
	c := Component{Ecosystem: Maven, Name: values["artifactId"], Version: values["version"], How: Installed, Root: f.dir}
	if g := values["groupId"]; g != "" {
		c.Name = g + ":" + c.Name
	}
	if f.Depth > 1 {
		c.How = Embedded // in a jar of a jar
	}
	f.add(c)
	return nil
}

// javaManifest reads the headers of a manifest that tell what a jar is
// (https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html#jar-manifest).
func javaManifest(f *file) error {
	b, err := f.start(maxHeader)
	if err != nil {
		return err
	}
	m := map[string]string{}
	last := ""
	for line := range lines(b) {
		if line == "" {
			break // the sections after the first are about single files
		}
		if rest, ok := strings.CutPrefix(line, " "); ok {
			if len(m[last]) < 4*maxText {
				m[last] += rest
			}
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if ok && len(m) < 256 {
			last = strings.ToLower(key)
			m[last] = strings.TrimSpace(value)
		}
	}
	symbolic, _, _ := strings.Cut(m["bundle-symbolicname"], ";")
	artifact, fromName := jarName(path.Base(jar(f.Path)))
	version := first(m["implementation-version"], m["bundle-version"], m["specification-version"], fromName)
	name := ""
	if group, ok := strings.CutSuffix(symbolic, "."+artifact); ok && group != "" {
		name = group + ":" + artifact
	} else if vendor := m["implementation-vendor-id"]; vendor != "" && artifact != "" {
		name = vendor + ":" + artifact
	} else if artifact != "" && version != "" && (symbolic != "" || m["implementation-title"] != "") {
		name = artifact
	}
	if name == "" || version == "" {
		return nil // no name, or none that says which version
	}
	c := Component{Ecosystem: Maven, Name: name, Version: version, How: Guessed, Root: jar(f.Path)}
	c.License, c.LicenseText = license(m["bundle-license"])
	f.add(c)
	return nil
}

// javaName takes a jar's file name for what it is: "log4j-core-2.19.0.jar".
func javaName(f *file) error {
	if artifact, version := jarName(f.base); version != "" {
		f.add(Component{Ecosystem: Maven, Name: artifact, Version: version, How: Guessed, Root: f.Path})
	}
	return nil
}

// jarName splits a file name where a hyphen stands before a digit.
func jarName(base string) (artifact, version string) {
	base = strings.TrimSuffix(base, path.Ext(base))
	for i := 1; i+1 < len(base); i++ {
		if base[i] == '-' && base[i+1] >= '0' && base[i+1] <= '9' {
			return base[:i], base[i+1:]
		}
	}
	return base, ""
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" && !strings.Contains(s, "${") {
			return s
		}
	}
	return ""
}

// Class splits the path of a class in a jar: "java/lib/x.jar!/com/acme/A.class" is
// the class "com.acme.A" of "java/lib/x.jar". Classes for a later version of Java
// (META-INF/versions/17/) and those under Spring Boot's BOOT-INF/classes/ have the
// name they are loaded by.
func Class(name string) (archive, class string, ok bool) {
	stem, ok := strings.CutSuffix(name, ".class")
	if !ok {
		return "", "", false
	}
	archive = jar(name)
	if archive != "" {
		stem = stem[len(archive)+2:]
	} else if i := strings.LastIndex(stem, "/lib/classes/"); i >= 0 {
		stem = stem[i+len("/lib/classes/"):]
	}
	if rest, ok := strings.CutPrefix(stem, "META-INF/versions/"); ok {
		_, stem, _ = strings.Cut(rest, "/")
	}
	stem = strings.TrimPrefix(strings.TrimPrefix(stem, "BOOT-INF/classes/"), "WEB-INF/classes/")
	return archive, strings.ReplaceAll(stem, "/", "."), stem != ""
}
