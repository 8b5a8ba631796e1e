/* SPDX-License-Identifier: MIT */
/*
 * dlazy for C++17: the functions of <dlazy/dlazy.h> with destructors, exceptions and
 * types. Header only; what it gives is what C gives, so both can be mixed.
 *
 *	dlazy::registry plugins;
 *	plugins.add_dir("/usr/lib/frei0r-1");
 *	auto init = plugins.find("invert0r").get<int()>("f0r_init");
 *	init();				// loads invert0r, and nothing else
 *	for (const auto &match : plugins.query("codec/png"))
 *		use(match.plugin, match.id);
 *
 * What fails throws dlazy::error. A first call that cannot be made goes the way of any
 * failure (dlazy_on_failure()) and throws nothing itself.
 */
#ifndef DLAZY_DLAZY_HPP
#define DLAZY_DLAZY_HPP

#include <dlazy/dlazy.h>
#include <dlazy/job.h>
#include <dlazy/lifecycle.h>
#include <dlazy/query.h>

#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

namespace dlazy
{

/* What has failed: its words, and the negated status. Since: 0.2 */
class error : public std::runtime_error
{
      public:
	error(int status, const char *words)
	    : std::runtime_error(words ? words : "dlazy"), status_(status)
	{
	}
	/* This thread's last failure. */
	static error last()
	{
		const char *words = dlazy_error();
		return error(dlazy_last_status(), words);
	}
	int status() const noexcept
	{
		return status_;
	}

      private:
	int status_;
};

namespace detail
{
inline int check(int status)
{
	if (status < 0)
		throw error::last();
	return status;
}
template <class T> T *check(T *pointer)
{
	if (!pointer)
		throw error::last();
	return pointer;
}
} // namespace detail

/* A function of a module: dlazy::function<int(int)>. Calls through a stub, so the
 * first call loads. Empty if default made. Since: 0.2 */
template <class Signature> class function;
class module;

template <class R, class... Args> class function<R(Args...)>
{
      public:
	using pointer = R (*)(Args...);

	function() noexcept = default;
	explicit function(void *address) noexcept
	    : pointer_(reinterpret_cast<pointer>(address))
	{
	}
	/* By its C name; throws if the module does not export it. */
	function(const module &m, const char *symbol);
	R operator()(Args... args) const
	{
		return pointer_(std::forward<Args>(args)...);
	}
	explicit operator bool() const noexcept
	{
		return pointer_ != nullptr;
	}
	pointer get() const noexcept
	{
		return pointer_;
	}

      private:
	pointer pointer_ = nullptr;
};

/* A module: opened, and then closed by the destructor, or borrowed from a registry,
 * which must outlive it. Moved, not copied. Since: 0.2 */
class module
{
      public:
	explicit module(const char *path, int flags = 0)
	    : handle_(detail::check(dlazy_open(path, flags))), own_(true)
	{
	}
	explicit module(const std::string &path, int flags = 0)
	    : module(path.c_str(), flags)
	{
	}
	/* Borrows what C code has. */
	explicit module(dlazy_module *borrowed) noexcept : handle_(borrowed)
	{
	}
	module(module &&other) noexcept :handle_(std::exchange(other.handle_,
							       nullptr)),
		own_(std::exchange(other.own_, false))
	{
	}
	module &operator=(module &&other) noexcept
	{
		std::swap(handle_, other.handle_);
		std::swap(own_, other.own_);
		return *this;
	}
	module(const module &) = delete;
	module &operator=(const module &) = delete;
	~module()
	{
		if (own_)
			dlazy_close(handle_);
	}

	/* A function of that type, by its C name; throws if it is not exported. */
	template <class Signature>
	function<Signature> get(const char *symbol) const
	{
		return function<Signature>(*this, symbol);
	}
	/* Any symbol's address. */
	void *sym(const char *symbol) const
	{
		return detail::check(dlazy_sym(handle_, symbol));
	}
	void load() const
	{
		detail::check(dlazy_load(handle_));
	}
	void check() const
	{
		detail::check(dlazy_check(handle_));
	}
	void prefetch() const
	{
		detail::check(dlazy_prefetch(handle_));
	}
	void unload() const
	{
		detail::check(dlazy_unload(handle_));
	}
	void fallback(const module &other, int flags = 0) const
	{
		detail::check(dlazy_fallback(handle_, other.handle_, flags));
	}
	dlazy_state state() const noexcept
	{
		return dlazy_module_state(handle_);
	}
	bool loaded() const noexcept
	{
		return state() == DLAZY_LOADED;
	}
	const char *name() const noexcept
	{
		return dlazy_module_name(handle_);
	}
	const char *path() const noexcept
	{
		return dlazy_module_path(handle_);
	}
	/* NULL: it says nothing. */
	const char *metadata() const noexcept
	{
		return dlazy_module_metadata(handle_);
	}
	const char *property(const char *key) const noexcept
	{
		return dlazy_module_property(handle_, key);
	}
	dlazy_module *handle() const noexcept
	{
		return handle_;
	}

      private:
	dlazy_module *handle_ = nullptr;
	bool own_ = false;
};

template <class R, class... Args>
function<R(Args...)>::function(const module &m, const char *symbol)
    : function(m.sym(symbol))
{
}

/* The matches of a query, as a range that is gone through once. A match is valid until
 * the iterator moves on. Since: 0.2 */
class cursor
{
      public:
	class iterator
	{
	      public:
		using iterator_category = std::input_iterator_tag;
		using value_type = dlazy_match;
		using difference_type = std::ptrdiff_t;
		using pointer = const dlazy_match *;
		using reference = const dlazy_match &;

		iterator() noexcept = default;
		explicit iterator(dlazy_cursor *c) : cursor_(c)
		{
			++*this;
		}
		reference operator*() const noexcept
		{
			return *match_;
		}
		pointer operator->() const noexcept
		{
			return match_;
		}
		iterator &operator++()
		{
			if (detail::check(dlazy_cursor_next(cursor_, &match_,
							    1)) == 0)
				*this = iterator();
			return *this;
		}
		void operator++(int)
		{
			++*this;
		}
		bool operator==(const iterator &other) const noexcept
		{
			return match_ == other.match_;
		}
		bool operator!=(const iterator &other) const noexcept
		{
			return match_ != other.match_;
		}

	      private:
		dlazy_cursor *cursor_ = nullptr;
		const dlazy_match *match_ = nullptr;
	};

	explicit cursor(dlazy_cursor *own) noexcept : cursor_(own)
	{
	}
	cursor(cursor &&other) noexcept
	    : cursor_(std::exchange(other.cursor_, nullptr))
	{
	}
	cursor &operator=(cursor &&other) noexcept
	{
		std::swap(cursor_, other.cursor_);
		return *this;
	}
	cursor(const cursor &) = delete;
	cursor &operator=(const cursor &) = delete;
	~cursor()
	{
		if (cursor_)
			dlazy_cursor_close(cursor_);
	}
	iterator begin() const
	{
		return iterator(cursor_);
	}
	iterator end() const noexcept
	{
		return iterator();
	}
	/* The plugin of a match. */
	dlazy::module module(const dlazy_match &match) const
	{
		return dlazy::module(
			detail::check(dlazy_cursor_module(cursor_, &match)));
	}

      private:
	dlazy_cursor *cursor_;
};

/* The plugins of one host. Modules that it gives are borrowed. Since: 0.2 */
class registry
{
      public:
	registry() : registry_(detail::check(dlazy_registry_new()))
	{
	}
	registry(registry &&other) noexcept
	    : registry_(std::exchange(other.registry_, nullptr))
	{
	}
	registry &operator=(registry &&other) noexcept
	{
		std::swap(registry_, other.registry_);
		return *this;
	}
	registry(const registry &) = delete;
	registry &operator=(const registry &) = delete;
	~registry()
	{
		dlazy_registry_free(registry_);
	}

	void add_dir(const std::string &dir, int flags = 0)
	{
		detail::check(
			dlazy_registry_add_dir(registry_, dir.c_str(), flags));
	}
	int add_path(const std::string &path, int flags = 0)
	{
		return detail::check(dlazy_registry_add_path(
			registry_, path.c_str(), flags));
	}
	void add_file(const std::string &path, int flags = 0)
	{
		detail::check(dlazy_registry_add_file(registry_, nullptr,
						      path.c_str(), flags));
	}
	void add_builtin(const std::string &name, const dlazy_symbol *symbols,
			 std::size_t n)
	{
		detail::check(dlazy_registry_add_builtin(
			registry_, name.c_str(), symbols, n));
	}
	std::size_t count() const noexcept
	{
		return dlazy_registry_count(registry_);
	}
	dlazy::module find(const std::string &name) const
	{
		return dlazy::module(detail::check(
			dlazy_registry_find(registry_, name.c_str())));
	}
	dlazy::module provider(const std::string &id, int flags = 0,
			       const char **ret_symbol = nullptr) const
	{
		return dlazy::module(detail::check(dlazy_registry_provider(
			registry_, id.c_str(), flags, ret_symbol)));
	}
	/* A glob over ids. */
	cursor query(const std::string &provides) const
	{
		dlazy_query q = {};
		q.size = sizeof(q);
		q.provides = provides.c_str();
		return query(q);
	}
	cursor query(const dlazy_query &q) const
	{
		return cursor(
			detail::check(dlazy_registry_query(registry_, &q)));
	}
	dlazy_registry *handle() const noexcept
	{
		return registry_;
	}

      private:
	dlazy_registry *registry_;
};

} // namespace dlazy

#endif /* DLAZY_DLAZY_HPP */
