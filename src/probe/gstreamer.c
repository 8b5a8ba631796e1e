/* SPDX-License-Identifier: MIT */
/*
 * The probe of GStreamer plugins: GStreamer itself loads the file, with an empty
 * registry of its own that is neither read nor written, and says which features
 * the plugin has registered. No element is made.
 */
#include "probe/probe.h"
#include "probe/text.h"

#include <errno.h>
#include <gst/gst.h>

#include <stdlib.h>

/* Ranks of metadata end here; GStreamer's primary one is 256. */
#define RANK_MAX 1000

/* No other plugin is looked for, and nothing is written. */
static bool begin(void)
{
	static const char *const empty[] = {
		"GST_PLUGIN_PATH",	  "GST_PLUGIN_PATH_1_0",
		"GST_PLUGIN_SYSTEM_PATH", "GST_PLUGIN_SYSTEM_PATH_1_0",
		"GST_PRESET_PATH",	  NULL,
	};

	if (gst_is_initialized())
		return true;
	for (size_t i = 0; empty[i]; i++)
		setenv(empty[i], "", 1);
	setenv("GST_REGISTRY", "/dev/null", 1);
	setenv("GST_REGISTRY_1_0", "/dev/null", 1);
	setenv("GST_REGISTRY_UPDATE", "no", 1);
	unsetenv("GST_TRACERS");
	gst_registry_fork_set_enabled(FALSE);
	return gst_init_check(NULL, NULL, NULL);
}

static void write_strings(struct json *j, const char *key,
			  const char *const *strings, const char *before)
{
	if (!strings || !*strings)
		return;
	json_begin_array_at(j, key);
	for (; *strings; strings++) {
		char *string = g_strconcat(before, *strings, NULL);
		json_string(j, string);
		g_free(string);
	}
	json_end_array(j);
}

/* The media types of caps, without their details. */
static void write_mime(struct json *j, GstCaps *caps)
{
	if (!caps || gst_caps_is_any(caps) || gst_caps_is_empty(caps))
		return;
	json_begin_array_at(j, "mime");
	for (guint i = 0; i < gst_caps_get_size(caps); i++)
		json_string(j, gst_structure_get_name(
				       gst_caps_get_structure(caps, i)));
	json_end_array(j);
}

/* NULL: it is of no kind that has ids. */
static const char *kind_of(GstPluginFeature *f)
{
	if (GST_IS_ELEMENT_FACTORY(f))
		return "element";
	if (GST_IS_TYPE_FIND_FACTORY(f))
		return "typefind";
	return GST_IS_DEVICE_PROVIDER_FACTORY(f) ? "device-provider" : NULL;
}

static const char *metadata_of(GstPluginFeature *f, const char *key)
{
	if (GST_IS_ELEMENT_FACTORY(f))
		return gst_element_factory_get_metadata(GST_ELEMENT_FACTORY(f),
							key);
	if (GST_IS_DEVICE_PROVIDER_FACTORY(f))
		return gst_device_provider_factory_get_metadata(
			GST_DEVICE_PROVIDER_FACTORY(f), key);
	return NULL;
}

static void write_provided(struct json *j, GstPluginFeature *f)
{
	const char *kind = kind_of(f);
	guint rank = gst_plugin_feature_get_rank(f);
	char prefix[32];

	if (!kind)
		return;
	snprintf(prefix, sizeof(prefix), "gst/%s/", kind);
	probe_text_provide(j, prefix, gst_plugin_feature_get_name(f),
			   metadata_of(f, GST_ELEMENT_METADATA_LONGNAME));
	json_unsigned_at(j, "rank", rank < RANK_MAX ? rank : RANK_MAX);
	if (GST_IS_TYPE_FIND_FACTORY(f)) {
		GstTypeFindFactory *t = GST_TYPE_FIND_FACTORY(f);

		write_mime(j, gst_type_find_factory_get_caps(t));
		write_strings(j, "glob",
			      (const char *const *)
				      gst_type_find_factory_get_extensions(t),
			      "*.");
	}
	json_end_object(j);
}

static void write_feature(struct json *j, GstPluginFeature *f)
{
	json_begin_object(j);
	json_string_at(j, "name", gst_plugin_feature_get_name(f));
	json_string_at(j, "kind", kind_of(f));
	json_unsigned_at(j, "rank", gst_plugin_feature_get_rank(f));
	probe_text_member(j, "klass",
			  metadata_of(f, GST_ELEMENT_METADATA_KLASS));
	probe_text_member(j, "description",
			  metadata_of(f, GST_ELEMENT_METADATA_DESCRIPTION));
	probe_text_member(j, "author",
			  metadata_of(f, GST_ELEMENT_METADATA_AUTHOR));
	json_end_object(j);
}

static void write_features(struct json *j, GList *features,
			   void (*write)(struct json *, GstPluginFeature *))
{
	json_begin_array(j);
	for (; features; features = features->next)
		write(j, GST_PLUGIN_FEATURE(features->data));
	json_end_array(j);
}

static char *write_plugin(GstPlugin *plugin, GList *features)
{
	struct probe_text text;

	if (!probe_text_begin(&text))
		return NULL;
	struct json *j = &text.json;
	probe_text_member(j, "name", gst_plugin_get_name(plugin));
	probe_text_member(j, "version", gst_plugin_get_version(plugin));
	probe_text_member(j, "description", gst_plugin_get_description(plugin));
	probe_text_member(j, "license", gst_plugin_get_license(plugin));
	probe_text_member(j, "homepage", gst_plugin_get_origin(plugin));
	json_key(j, "provides");
	write_features(j, features, write_provided);
	json_begin_object_at(j, "gstreamer");
	probe_text_member(j, "source", gst_plugin_get_source(plugin));
	probe_text_member(j, "package", gst_plugin_get_package(plugin));
	json_key(j, "features");
	write_features(j, features, write_feature);
	json_end_object(j);
	return probe_text_end(&text);
}

char *dlazy_probe_family(const struct probe_plugin *plugin)
{
	bool begun = begin();
	errno = 0; /* what GStreamer leaves there says nothing of the plugin */
	if (!begun)
		return NULL;
	GstPlugin *loaded = gst_plugin_load_file(plugin->path, NULL);
	errno = 0;
	if (!loaded)
		return NULL;
	GList *features = gst_registry_get_feature_list_by_plugin(
		gst_registry_get(), gst_plugin_get_name(loaded));
	char *text = write_plugin(loaded, features);
	gst_plugin_feature_list_free(features);
	gst_object_unref(loaded);
	return text;
}
